using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace LoggingService.Homeserver;

internal static class HomeserverResilience
{
    /// <summary>How long queries pause after a failed one.</summary>
    public static readonly TimeSpan Cooldown = TimeSpan.FromSeconds(30);

    /// <summary>For one call with its retries. A homeserver waits 60 s for our response, for which we may have to call it.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(50);

    /// <summary>How many bytes of a 429 response are read for its <c>retry_after_ms</c>.</summary>
    private const int MaxRefusalBytes = 64 << 10;

    public static IServiceCollection AddHomeserver(this IServiceCollection services, LoggingServiceOptions options)
    {
        services.AddHttpClient<HomeserverClient>(http =>
            {
                http.BaseAddress = options.Homeserver;
                http.Timeout = CallTimeout + TimeSpan.FromSeconds(5);
                http.MaxResponseContentBufferSize = 16 << 20;
            })
            .UseSocketsHttpHandler((handler, _) =>
            {
                // The client is a singleton: reconnect, so that a new address of the homeserver is resolved.
                handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
                // A redirected POST becomes a GET, and the token would follow to wherever it leads.
                handler.AllowAutoRedirect = false;
                handler.UseProxy = !options.Homeserver.IsLoopback;
            })
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .AddHttpMessageHandler(services => new ResilienceHandler(BuildPipeline(services.GetRequiredService<TimeProvider>())));
        return services.AddSingleton<HomeserverContact>().AddSingleton<HomeserverRooms>().AddSingleton<ServiceUser>()
            .AddSingleton<CheckRequests>().AddSingleton<ConnectionCheck>().AddHostedService<StartupCheck>();
    }

    // Built directly instead of AddResilienceHandler: no Polly telemetry.
    private static ResiliencePipeline<HttpResponseMessage> BuildPipeline(TimeProvider time) =>
        new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddTimeout(CallTimeout)
            .AddRetry(new HttpRetryStrategyOptions
            {
                MaxRetryAttempts = 3,
                Delay = TimeSpan.FromSeconds(0.5),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = attempt => ValueTask.FromResult(CanRetry(attempt.Outcome, attempt.Context.GetRequestMessage()?.Method)),
                DelayGenerator = async attempt => await GetRetryAfterAsync(attempt.Outcome.Result, time, attempt.Context.CancellationToken),
            })
            .Build();

    /// <summary>A rate-limited call had no effect. Otherwise only idempotent calls are retried; createRoom is not.</summary>
    private static bool CanRetry(Outcome<HttpResponseMessage> outcome, HttpMethod? method) => outcome switch
    {
        { Result.StatusCode: HttpStatusCode.TooManyRequests } => true,
        { Result.StatusCode: >= HttpStatusCode.InternalServerError } or { Exception: HttpRequestException } => method != HttpMethod.Post,
        _ => false,
    };

    /// <summary>The requested delay: <c>Retry-After</c>, else <c>retry_after_ms</c> (Client-Server API, "Rate limiting").</summary>
    private static async Task<TimeSpan?> GetRetryAfterAsync(
        HttpResponseMessage? response, TimeProvider time, CancellationToken cancellation)
    {
        if (response is not { StatusCode: HttpStatusCode.TooManyRequests })
        {
            return null;
        }

        if (response.Headers.RetryAfter is { } header)
        {
            var delay = header.Delta ?? header.Date - time.GetUtcNow();
            return delay > TimeSpan.Zero ? delay : TimeSpan.Zero;
        }

        try
        {
            await response.Content.LoadIntoBufferAsync(MaxRefusalBytes, cancellation);
        }
        catch (HttpRequestException)
        {
            return null;
        }

        var json = await response.Content.ReadAsByteArrayAsync(cancellation);
        var milliseconds = RawJson.TryParse(json, out var body, out _) ? body["retry_after_ms"u8].AsInteger() : null;
        return milliseconds is null ? null : TimeSpan.FromMilliseconds(Math.Clamp((double)milliseconds, 0, CallTimeout.TotalMilliseconds));
    }
}
