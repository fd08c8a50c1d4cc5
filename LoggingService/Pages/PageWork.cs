using System.Threading.RateLimiting;

namespace LoggingService.Pages;

/// <summary>
/// Limits how many requests read and render at the same time, of one address and together. What was rendered is sent afterwards
/// (<see cref="PageSending"/>): a reader with a slow connection holds up no other.
/// </summary>
internal sealed class PageWork(PageRenderer renderer) : IDisposable
{
    /// <summary>Requests that wait for their turn, of one address and together.</summary>
    private const int QueueOfAddress = 300;
    private const int Queue = 2000;

    private static readonly int OfAddress = Math.Max(2, Environment.ProcessorCount);
    private static readonly int Together = 2 * OfAddress;

    private readonly PartitionedRateLimiter<HttpContext> _limiter = PartitionedRateLimiter.CreateChained(
        PartitionedRateLimiter.Create<HttpContext, string>(http => RateLimitPartition.GetConcurrencyLimiter(
            PageLimits.ClientOf(http), _ => new() { PermitLimit = OfAddress, QueueLimit = QueueOfAddress })),
        PartitionedRateLimiter.Create<HttpContext, string>(_ => RateLimitPartition.GetConcurrencyLimiter(
            "", _ => new() { PermitLimit = Together, QueueLimit = Queue })));

    public void Dispose() => _limiter.Dispose();

    /// <summary>Waits for a place. Without one, too many wait already.</summary>
    /// <exception cref="OperationCanceledException">The reader has gone.</exception>
    public ValueTask<RateLimitLease> EnterAsync(HttpContext http) => _limiter.AcquireAsync(http, 1, http.RequestAborted);

    /// <summary>Limits pages. Downloads and live pages enter for each part of theirs.</summary>
    public async Task LimitAsync(HttpContext http, RequestDelegate next)
    {
        if (PageLimits.KindOf(http) != RequestKind.Page)
        {
            await next(http);
            return;
        }

        using var lease = await EnterAsync(http);
        await (lease.IsAcquired ? next(http) : renderer.WriteBusyAsync(http));
    }
}
