//! The three ways to stream.

#[service]
impl Logs {
    /// Follow a log.
    #[endpoint(read_only)]
    async fn tail(&self, cx: &Context, topic: String) -> impl Stream<Item = Result<Line>> {
        self.lines(cx, topic)
    }

    /// Follow every log.
    #[endpoint(read_only)]
    fn all(&self) -> impl Stream<Item = Result<Line, LogError>> + Send + '_ {
        self.every_line()
    }

    /// Follow a log that may not be there.
    #[endpoint(read_only)]
    async fn open(&self, topic: String) -> Result<impl Stream<Item = Result<Line>>> {
        self.find(topic).map(Log::lines)
    }
}
