using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LoggingService.Http;

/// <summary>
/// An answer other than <c>{}</c>, as the Matrix specification writes errors (Client-Server API, "Standard error
/// response"): always JSON, for a homeserver takes anything else for a failed connection.
/// </summary>
/// <param name="Status">The HTTP status code.</param>
/// <param name="Code">The errcode.</param>
/// <param name="Message">Words for people; nothing of what was sent is repeated in them.</param>
internal sealed record MatrixError(int Status, string Code, string Message) : IResult
{
    /// <summary>200 and <c>{}</c>. Not 204, and not an empty body: to a homeserver both are a failure.</summary>
    public static readonly IResult Ok = Results.Text("{}"u8, "application/json");

    /// <summary>404: no such user, alias, protocol.</summary>
    public static readonly MatrixError NotFound = new(404, "M_NOT_FOUND", "There is nothing of this name here.");

    /// <summary>404: no such endpoint (Application Service API, "Unknown routes").</summary>
    public static readonly MatrixError UnknownPath = new(404, "M_UNRECOGNIZED", "This endpoint is not known here.");

    /// <summary>The error for a status code that the web server chose itself.</summary>
    public static MatrixError ForStatus(int status) => status switch
    {
        404 => UnknownPath,
        405 => new(405, "M_UNRECOGNIZED", "This endpoint is not known here with this method."),
        413 => new(413, "M_TOO_LARGE", "The body is too large."),
        >= 500 => new(status, "M_UNKNOWN", "The service could not do what it was asked; its log says why."),
        _ => new(status, "M_UNKNOWN", "The request could not be understood."),
    };

    private static readonly JsonSerializerOptions AsItIs = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Status;
        httpContext.Response.ContentType = "application/json";
        return httpContext.Response.WriteAsync(new JsonObject { ["errcode"] = Code, ["error"] = Message }.ToJsonString(AsItIs));
    }
}

/// <summary>Ends a request with a Matrix error, from wherever it is noticed.</summary>
/// <param name="error">The answer.</param>
/// <param name="cause">What had gone wrong.</param>
internal sealed class MatrixException(MatrixError error, Exception? cause = null) : Exception(error.Message, cause)
{
    /// <summary>The answer.</summary>
    public MatrixError Error => error;
}
