using System.Text.Json.Nodes;

namespace LoggingService.Http;

/// <summary>
/// An error response (Client-Server API, "Standard error response"). Always JSON: a homeserver treats any other body as a
/// failed connection. The message must not repeat any part of the request.
/// </summary>
internal sealed record MatrixError(int Status, string Code, string Message) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Status;
        httpContext.Response.ContentType = "application/json";
        return httpContext.Response.WriteAsync(new JsonObject { ["errcode"] = Code, ["error"] = Message }.ToJsonString());
    }
}
