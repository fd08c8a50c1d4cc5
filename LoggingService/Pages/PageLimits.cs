using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;

namespace LoggingService.Pages;

/// <summary>How much of the machine readers may use, each and together.</summary>
internal static class PageLimits
{
    /// <summary>Requests of one address at once, and then each second.</summary>
    private const int Burst = 300;
    private const int PerSecond = 20;

    /// <summary>Of these, searches.</summary>
    private const int SearchBurst = 30;
    private const int SearchesPerSecond = 2;

    /// <summary>Searches that wait for their turn.</summary>
    private const int SearchQueue = 100;

    /// <summary>Downloads, which last as long as the reader takes them, of one address and together; each has a day in memory.</summary>
    private const int DownloadsOfAddress = 2;
    private const int Downloads = 8;
    private const int DownloadQueue = 40;

    /// <summary>Readers who have a newest day open, of one address and together.</summary>
    private const int LiveOfAddress = 100;
    private const int Live = 1000;

    public static void Configure(RateLimiterOptions options)
    {
        options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        options.OnRejected = async (context, _) =>
            await context.HttpContext.RequestServices.GetRequiredService<PageRenderer>().WriteBusyAsync(context.HttpContext);
        options.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            PartitionedRateLimiter.Create<HttpContext, string>(http => RateLimitPartition.GetTokenBucketLimiter(
                ClientOf(http), _ => Bucket(Burst, PerSecond))),
            PartitionedRateLimiter.Create<HttpContext, string>(http => IsSearch(http)
                ? RateLimitPartition.GetTokenBucketLimiter(ClientOf(http), _ => Bucket(SearchBurst, SearchesPerSecond))
                : RateLimitPartition.GetNoLimiter("none")),
            PartitionedRateLimiter.Create<HttpContext, bool>(http => IsSearch(http)
                ? RateLimitPartition.GetConcurrencyLimiter(
                    true, _ => new() { PermitLimit = Math.Max(1, Environment.ProcessorCount / 2), QueueLimit = SearchQueue })
                : RateLimitPartition.GetNoLimiter(false)),
            PartitionedRateLimiter.Create<HttpContext, string>(http => KindOf(http) switch
            {
                RequestKind.Live => Places($"live {ClientOf(http)}", LiveOfAddress, queue: 0),
                RequestKind.Download => Places($"download {ClientOf(http)}", DownloadsOfAddress, DownloadQueue),
                _ => RateLimitPartition.GetNoLimiter("none"),
            }),
            PartitionedRateLimiter.Create<HttpContext, RequestKind>(http => KindOf(http) switch
            {
                RequestKind.Live => Places(RequestKind.Live, Live, queue: 0),
                RequestKind.Download => Places(RequestKind.Download, Downloads, DownloadQueue),
                var other => RateLimitPartition.GetNoLimiter(other),
            }));
    }

    public static RequestKind KindOf(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "";
        return path.EndsWith("/live", StringComparison.Ordinal) ? RequestKind.Live
            : Path.GetExtension(path) is ".html" or ".txt" or ".jsonl" ? RequestKind.Download
            : RequestKind.Page;
    }

    /// <summary>Who counts as one client: one user may have as many IPv6 addresses as the last 64 bits can tell apart.</summary>
    public static string ClientOf(HttpContext http)
    {
        if (http.Connection.RemoteIpAddress is not { } address)
        {
            return "";
        }

        return address.IsIPv4MappedToIPv6 || address.AddressFamily != AddressFamily.InterNetworkV6
            ? address.MapToIPv4().ToString()
            : Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8));
    }

    private static RateLimitPartition<TKey> Places<TKey>(TKey key, int places, int queue)
        where TKey : notnull =>
        RateLimitPartition.GetConcurrencyLimiter(key, _ => new() { PermitLimit = places, QueueLimit = queue });

    private static TokenBucketRateLimiterOptions Bucket(int burst, int perSecond) => new()
    {
        TokenLimit = burst,
        TokensPerPeriod = perSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        AutoReplenishment = true,
    };

    private static bool IsSearch(HttpContext http) =>
        http.Request.Path.Value?.EndsWith("/search", StringComparison.Ordinal) == true && http.Request.Query.ContainsKey("q");
}

/// <summary>What a request takes of the machine.</summary>
internal enum RequestKind
{
    /// <summary>Is rendered, then sent.</summary>
    Page,

    /// <summary>Is rendered in parts while it is sent.</summary>
    Download,

    /// <summary>Lasts as long as its page is open.</summary>
    Live,
}
