using LoggingService.Registration;

namespace LoggingService.Http;

/// <summary>
/// Requires the registration's hs_token on every matched endpoint: <c>Authorization: Bearer …</c>, or
/// <c>?access_token=…</c> as older homeservers send it; if both are present, both must match (Application Service API,
/// "Authorisation"). Must run after UseRouting: unmatched paths fall through to 404. Runs before any byte of the body is read.
/// </summary>
internal sealed partial class HomeserverAuthentication(
    RequestDelegate next, RegistrationTokens expected, LoggingServiceOptions options, TimeProvider time,
    ILogger<HomeserverAuthentication> logger)
{
    private const string Scheme = "Bearer ";

    private static readonly MatrixError MissingToken = new(401, "M_MISSING_TOKEN", "Missing hs_token.");
    private static readonly MatrixError InvalidToken = new(403, "M_FORBIDDEN", "Invalid hs_token.");

    private readonly LogThrottle _rejectionThrottle = new(time);

    public Task InvokeAsync(HttpContext context)
    {
        // For a known path with another method, routing matches an endpoint of its own (405), which is no RouteEndpoint.
        if (context.GetEndpoint() is not RouteEndpoint)
        {
            return next(context);
        }

        var tokens = GetTokens(context.Request);
        if (tokens.Count == 0)
        {
            return MissingToken.ExecuteAsync(context);
        }

        if (expected.Accepts(tokens))
        {
            return next(context);
        }

        if (_rejectionThrottle.TryAcquire())
        {
            Log.TokenRejected(logger, options.Registration);
        }

        return InvalidToken.ExecuteAsync(context);
    }

    private static List<string> GetTokens(HttpRequest request) =>
    [
        .. from header in request.Headers.Authorization
           where header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
           select header[Scheme.Length..].Trim(),
        .. from token in request.Query["access_token"]
           select token ?? "",
    ];

    private static partial class Log
    {
        [LoggerMessage(EventIds.TokenRejected, LogLevel.Warning,
            "Rejected a request with an invalid hs_token. If the homeserver sent it, its copy of {Registration} is outdated: "
                + "replace the copy and restart the homeserver. If the tokens were rotated, reload this service first. "
                + "Further occurrences are logged once a minute.")]
        public static partial void TokenRejected(ILogger logger, string registration);
    }
}
