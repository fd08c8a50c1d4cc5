using System.Security.Cryptography;
using System.Text;
using LoggingService.Logging;
using LoggingService.Options;
using LoggingService.Registration;

namespace LoggingService.Http;

/// <summary>
/// Lets the homeserver in, which shows the registration's hs_token, and nobody else: <c>Authorization: Bearer …</c>, or
/// <c>?access_token=…</c> as older homeservers do; where both are there both must match (Application Service API,
/// "Authorisation"). It stands behind the routing, which says whether there is a route, and closes them all; before it,
/// everything would pass. It runs before a byte of the body is read.
/// </summary>
internal sealed partial class HomeserverAuthentication(
    RequestDelegate next, AppServiceRegistration registration, LoggingServiceOptions settings, TimeProvider time, ILogger<HomeserverAuthentication> logger)
{
    private const string Bearer = "Bearer ";

    private readonly byte[] _homeservers = Hash(registration.HsToken);
    private readonly LogThrottle _wrong = new(time);

    /// <summary>Lets a request of the homeserver go on to its route, and one that has no route to where it is told so; answers all others.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);

        // A method that a path doesn't know leads to an endpoint, too: the routing's own, which is no route.
        if (context.GetEndpoint() is not RouteEndpoint)
        {
            return next(context);
        }

        var shown = TokensOf(context.Request);
        if (shown.Count == 0)
        {
            return new MatrixError(401, "M_MISSING_TOKEN", "The homeserver's token is missing.").ExecuteAsync(context);
        }

        if (AreHomeservers(shown))
        {
            return next(context);
        }

        // Anyone can send wrong ones as fast as they like.
        if (_wrong.TryAcquire())
        {
            Log.Refused(logger, settings.Registration);
        }

        return new MatrixError(403, "M_FORBIDDEN", "This is not the homeserver's token.").ExecuteAsync(context);
    }

    private static List<string> TokensOf(HttpRequest request)
    {
        List<string> shown = [];
        foreach (var header in request.Headers.Authorization)
        {
            if (header?.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) == true)
            {
                shown.Add(header[Bearer.Length..].Trim());
            }
        }

        if (request.Query.TryGetValue("access_token", out var tokens))
        {
            shown.AddRange(tokens.Select(token => token ?? ""));
        }

        return shown;
    }

    /// <summary>In a time that says nothing about the token: hashes are compared, and all of them.</summary>
    private bool AreHomeservers(List<string> shown)
    {
        var areRight = true;
        foreach (var token in shown)
        {
            areRight &= CryptographicOperations.FixedTimeEquals(Hash(token), _homeservers);
        }

        return areRight;
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "A request with a wrong token was refused. If it was your homeserver's, its copy of {Registration} differs: give it this file and restart it. If not, somebody else reaches this port.")]
        public static partial void Refused(ILogger logger, string registration);
    }
}
