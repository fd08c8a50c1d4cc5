namespace Bench;

/// <summary>A homeserver for the contenders: every call succeeds, no room has an alias, every room can be created.</summary>
internal static class StubHomeserver
{
    public static async Task<WebApplication> StartAsync()
    {
        // Without reload: a file watcher would report every write of the contenders below this folder.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        var created = 0;
        server.Run(http =>
        {
            var response = (http.Request.Method, http.Request.Path.Value!) switch
            {
                ("POST", "/_matrix/client/v3/createRoom") => $$"""{"room_id":"!made{{Interlocked.Increment(ref created)}}:example.org"}""",
                ("GET", var path) when path.EndsWith("/whoami", StringComparison.Ordinal) => """{"user_id":"@logging:example.org"}""",
                ("GET", var path) when path.EndsWith("/joined_rooms", StringComparison.Ordinal) => """{"joined_rooms":[]}""",
                ("GET", var path) when path.EndsWith("/aliases", StringComparison.Ordinal) => """{"aliases":[]}""",
                ("GET", var path) when path.EndsWith("/versions", StringComparison.Ordinal) => """{"versions":["v1.11"]}""",
                ("POST", var path) when path.EndsWith("/register", StringComparison.Ordinal) => """{"user_id":"@logging:example.org"}""",
                _ => """{"duration_ms":1,"event_id":"$made"}""",
            };
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync(response);
        });
        await server.StartAsync();
        return server;
    }
}
