using System.Net;
using LoggingService.Events;
using LoggingService.Options;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace LoggingService.Homeserver;

/// <summary>How the homeserver is called over HTTP: what is tried again, and for how long.</summary>
internal static class HomeserverResilience
{
    /// <summary>A homeserver waits 60 s for an answer of ours, in which we may have to call it: one call has less.</summary>
    private static readonly TimeSpan OneCall = TimeSpan.FromSeconds(50);

    /// <summary>Bytes of an answer of 429 that are read for what it says.</summary>
    private const int LargestRefusal = 64 * 1024;

    /// <summary>Registers <see cref="HomeserverClient"/> as a typed client.</summary>
    public static IServiceCollection AddHomeserver(this IServiceCollection services, LoggingServiceOptions options)
    {
        services.AddHttpClient<HomeserverClient>(http =>
            {
                http.BaseAddress = new Uri(options.Homeserver.AbsoluteUri.TrimEnd('/') + "/");
                http.Timeout = OneCall + TimeSpan.FromSeconds(5);
                http.MaxResponseContentBufferSize = 16 * 1024 * 1024;
            })
            // The client lives as long as the service: connections are renewed, so that a homeserver that moves is found. On this machine no proxy of the environment's is in between.
            .UseSocketsHttpHandler((handler, _) => (handler.PooledConnectionLifetime, handler.UseProxy) = (TimeSpan.FromMinutes(5), !options.Homeserver.IsLoopback))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .AddHttpMessageHandler(provider => new ResilienceHandler(Resilience(provider.GetRequiredService<TimeProvider>())));
        return services.AddSingleton<ServiceUser>().AddSingleton<ConnectionCheck>().AddHostedService<StartupCheck>();
    }

    // By itself: a pipeline of the services' would bring telemetry along, which nobody listens to.
    private static ResiliencePipeline<HttpResponseMessage> Resilience(TimeProvider time) => new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
        .AddTimeout(OneCall)
        .AddRetry(new HttpRetryStrategyOptions
        {
            MaxRetryAttempts = 3,
            Delay = TimeSpan.FromSeconds(0.5),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = attempt => ValueTask.FromResult(IsSafeToRetry(attempt.Outcome, attempt.Context.GetRequestMessage()?.Method)),
            DelayGenerator = async attempt => await RetryAfterAsync(attempt.Outcome.Result, attempt.Context.CancellationToken),
        })
        .Build();

    /// <summary>
    /// Too many requests: nothing was done, whatever it was. Otherwise only what may be done twice; a room may not.
    /// </summary>
    private static bool IsSafeToRetry(Outcome<HttpResponseMessage> outcome, HttpMethod? method) => outcome switch
    {
        { Result.StatusCode: HttpStatusCode.TooManyRequests } => true,
        { Result.StatusCode: >= HttpStatusCode.InternalServerError } or { Exception: HttpRequestException } => method != HttpMethod.Post,
        _ => false,
    };

    /// <summary>
    /// How long the homeserver asks to wait: <c>Retry-After</c>, else the older <c>retry_after_ms</c> of the body, else
    /// <c>null</c>. (Client-Server API, "Rate limiting")
    /// </summary>
    private static async Task<TimeSpan?> RetryAfterAsync(HttpResponseMessage? response, CancellationToken cancellation)
    {
        if (response is not { StatusCode: HttpStatusCode.TooManyRequests })
        {
            return null;
        }

        if (response.Headers.RetryAfter is { } header)
        {
            var wait = header.Delta ?? header.Date - DateTimeOffset.UtcNow;
            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }

        try
        {
            await response.Content.LoadIntoBufferAsync(LargestRefusal, cancellation);
        }
        catch (HttpRequestException)
        {
            return null;
        }

        return RawJson.TryParse(await response.Content.ReadAsByteArrayAsync(cancellation), out var body, out _)
            && body["retry_after_ms"u8].AsInteger() is { } milliseconds
            ? TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, (long)OneCall.TotalMilliseconds))
            : null;
    }
}
