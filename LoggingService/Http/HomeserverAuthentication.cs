using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using LoggingService.Configuration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace LoggingService.Http;

/// <summary>
/// Lets the homeserver in, which shows the registration's hs_token, and nobody else: <c>Authorization: Bearer …</c>, or
/// <c>?access_token=…</c> as older homeservers do; where both are there both must match (Application Service API,
/// "Authorisation"). Runs before a byte of the body is read.
/// </summary>
public sealed class HomeserverAuthentication(
    Registration registration, RefusalWarning warning, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    /// <summary>The scheme's name.</summary>
    public const string SchemeName = "Homeserver";

    private const string Bearer = "Bearer ";

    /// <inheritdoc/>
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        List<string> shown = [];
        foreach (var header in Request.Headers.Authorization)
        {
            if (header?.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) == true)
            {
                shown.Add(header[Bearer.Length..].Trim());
            }
        }

        if (Request.Query.TryGetValue("access_token", out var tokens))
        {
            shown.AddRange(tokens.Select(token => token ?? ""));
        }

        if (shown.Count == 0)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var wrong = 0;
        foreach (var token in shown)
        {
            wrong |= IsHomeservers(token) ? 0 : 1;
        }

        return Task.FromResult(wrong != 0
            ? AuthenticateResult.Fail("A token that is not the registration's hs_token")
            : AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(SchemeName)), SchemeName)));
    }

    /// <inheritdoc/>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var refusal = (await HandleAuthenticateOnceAsync()).None
            ? new MatrixError(401, "M_MISSING_TOKEN", "The homeserver's token is missing.")
            : new MatrixError(403, "M_FORBIDDEN", "This is not the homeserver's token.");
        if (refusal.Status == 403)
        {
            warning.Tell(Logger);
        }

        await refusal.ExecuteAsync(Context);
    }

    /// <summary>In a time that says nothing about the token: hashes are compared, and all of them.</summary>
    private bool IsHomeservers(string token) => CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes(token)), SHA256.HashData(Encoding.UTF8.GetBytes(registration.HsToken)));
}

/// <summary>What the log is told of wrong tokens: once a minute, for anyone can send them as fast as they like.</summary>
public sealed partial class RefusalWarning(LoggingServiceOptions settings, TimeProvider time)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private long? _told;

    /// <summary>A token was wrong.</summary>
    public void Tell(ILogger logger)
    {
        lock (_lock)
        {
            if (_told is { } told && time.GetElapsedTime(told) < Quiet)
            {
                return;
            }

            _told = time.GetTimestamp();
        }

        Log.Refused(logger, settings.Registration);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "A request with a wrong token was refused. If it was your homeserver's, its copy of {Registration} is another one: give it this one and restart it.")]
        public static partial void Refused(ILogger logger, string registration);
    }
}

/// <summary>How the scheme is registered.</summary>
public static class HomeserverAuthenticationRegistration
{
    /// <summary>Adds <see cref="HomeserverAuthentication"/> as the only scheme; without the data protection that AddAuthentication brings along, which would write keys to the disk that nobody uses.</summary>
    public static IServiceCollection AddHomeserverAuthentication(this IServiceCollection services) => services
        .AddAuthenticationCore(schemes =>
        {
            schemes.DefaultScheme = HomeserverAuthentication.SchemeName;
            schemes.AddScheme<HomeserverAuthentication>(HomeserverAuthentication.SchemeName, displayName: null);
        })
        .AddWebEncoders()
        .AddSingleton<RefusalWarning>()
        .AddTransient<HomeserverAuthentication>();
}
