using System.Net;

namespace LoggingService.Tests.Support;

/// <summary>A homeserver's client-server API on a socket, for a service process: knows the service, but no alias.</summary>
internal sealed class FakeHomeserver : IDisposable
{
    private readonly HttpListener _listener = new();

    public FakeHomeserver()
    {
        Address = $"http://127.0.0.1:{FreePort.Next()}";
        _listener.Prefixes.Add($"{Address}/");
        _listener.Start();
        _ = RespondAsync();
    }

    public string Address { get; }

    public void Dispose() => _listener.Close();

    private async Task RespondAsync()
    {
        try
        {
            while (true)
            {
                var call = await _listener.GetContextAsync();
                var (status, body) = call.Request.Url!.AbsolutePath switch
                {
                    "/_matrix/client/versions" => (200, """{"versions":["v1.19"]}"""),
                    "/_matrix/client/v3/account/whoami" => (200, """{"user_id":"@logging:localhost"}"""),
                    "/_matrix/client/v3/joined_rooms" => (200, """{"joined_rooms":[]}"""),
                    "/_matrix/client/v1/appservice/logging/ping" => (200, """{"duration_ms":1}"""),
                    "/_matrix/client/v3/register" => (400, """{"errcode":"M_USER_IN_USE","error":"taken"}"""),
                    _ => (404, """{"errcode":"M_NOT_FOUND","error":"none"}"""),
                };
                call.Response.StatusCode = status;
                call.Response.ContentType = "application/json";
                call.Response.Close(System.Text.Encoding.UTF8.GetBytes(body), willBlock: false);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }
}
