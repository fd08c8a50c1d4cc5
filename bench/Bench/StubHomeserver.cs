
namespace Bench;

/// <summary>The homeserver's answers that the contenders need: all is well, no room has an alias, any room is made.</summary>
internal static class StubHomeserver
{
    /// <summary>Starts it on a free port.</summary>
    public static async Task<WebApplication> StartAsync()
    {
        // Settings that are watched for changes would have the kernel tell us of all that the contenders write below this folder.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        var made = 0;
        server.Run(http =>
        {
            var answer = (http.Request.Method, http.Request.Path.Value!) switch
            {
                ("POST", "/_matrix/client/v3/createRoom") => $$"""{"room_id":"!made{{Interlocked.Increment(ref made)}}:example.org"}""",
                ("GET", var path) when path.EndsWith("/whoami", StringComparison.Ordinal) => """{"user_id":"@logging:example.org"}""",
                ("GET", var path) when path.EndsWith("/joined_rooms", StringComparison.Ordinal) => """{"joined_rooms":[]}""",
                ("GET", var path) when path.EndsWith("/aliases", StringComparison.Ordinal) => """{"aliases":[]}""",
                ("GET", var path) when path.EndsWith("/versions", StringComparison.Ordinal) => """{"versions":["v1.11"]}""",
                ("POST", var path) when path.EndsWith("/register", StringComparison.Ordinal) => """{"user_id":"@logging:example.org"}""",
                _ => """{"duration_ms":1,"event_id":"$made"}""",
            };
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync(answer);
        });
        await server.StartAsync();
        return server;
    }
}
