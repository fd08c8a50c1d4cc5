namespace LoggingService.Http;

/// <summary>The responses that several endpoints share.</summary>
internal static class MatrixResults
{
    /// <summary>200 and <c>{}</c>. A homeserver treats 204 and an empty body as failures.</summary>
    public static readonly IResult Ok = Results.Text("{}"u8, "application/json");

    /// <summary>404: no such user, alias or protocol.</summary>
    public static readonly MatrixError NotFound = new(404, "M_NOT_FOUND", "Not found.");

    /// <summary>503: the homeserver must retry.</summary>
    public static readonly MatrixError Unavailable = new(503, "M_UNKNOWN", "The service does not run; retry.");

    /// <summary>The error for a status code of the web server itself (404: Application Service API, "Unknown routes").</summary>
    public static MatrixError ForStatus(int status) => status switch
    {
        404 => new(404, "M_UNRECOGNIZED", "Unrecognized endpoint."),
        405 => new(405, "M_UNRECOGNIZED", "Method not allowed on this endpoint."),
        413 => new(413, "M_TOO_LARGE", "The request body is too large."),
        >= 500 => new(status, "M_UNKNOWN", "Internal error; the log of the service has the reason."),
        _ => new(status, "M_UNKNOWN", "Malformed request."),
    };
}
