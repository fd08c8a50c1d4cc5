using System.Net;
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

    /// <summary>Requests that wait for their turn.</summary>
    private const int Queue = 2000;

    /// <summary>Readers who have a newest day open, of one address and together.</summary>
    private const int LiveOfAddress = 100;
    private const int Live = 1000;

    /// <summary>Pages and downloads at once, of one address and together: a reader with a slow connection holds up no other.</summary>
    private static readonly int OfAddress = Math.Max(2, Environment.ProcessorCount);
    private static readonly int Together = 2 * OfAddress;

    public static void Configure(RateLimiterOptions options)
    {
        options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        options.OnRejected = async (context, _) =>
        {
            context.HttpContext.Response.Headers.RetryAfter = "2";
            await context.HttpContext.RequestServices.GetRequiredService<PageRenderer>().WriteBusyAsync(context.HttpContext);
        };
        options.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            PartitionedRateLimiter.Create<HttpContext, string>(http => RateLimitPartition.GetTokenBucketLimiter(
                PrefixOf(http.Connection.RemoteIpAddress), _ => Bucket(Burst, PerSecond))),
            PartitionedRateLimiter.Create<HttpContext, string>(http => IsSearch(http)
                ? RateLimitPartition.GetTokenBucketLimiter(
                    PrefixOf(http.Connection.RemoteIpAddress), _ => Bucket(SearchBurst, SearchesPerSecond))
                : RateLimitPartition.GetNoLimiter("none")),
            PartitionedRateLimiter.Create<HttpContext, bool>(http => IsSearch(http)
                ? RateLimitPartition.GetConcurrencyLimiter(
                    true, _ => new() { PermitLimit = Math.Max(1, Environment.ProcessorCount / 2), QueueLimit = SearchQueue })
                : RateLimitPartition.GetNoLimiter(false)),
            PartitionedRateLimiter.Create<HttpContext, string>(http => IsLive(http)
                ? RateLimitPartition.GetConcurrencyLimiter(
                    $"live {PrefixOf(http.Connection.RemoteIpAddress)}", _ => new() { PermitLimit = LiveOfAddress, QueueLimit = 0 })
                : RateLimitPartition.GetConcurrencyLimiter(
                    PrefixOf(http.Connection.RemoteIpAddress), _ => new() { PermitLimit = OfAddress, QueueLimit = Burst })),
            PartitionedRateLimiter.Create<HttpContext, string>(http => IsLive(http)
                ? RateLimitPartition.GetConcurrencyLimiter("live", _ => new() { PermitLimit = Live, QueueLimit = 0 })
                : RateLimitPartition.GetConcurrencyLimiter(
                    "", _ => new() { PermitLimit = Together, QueueLimit = Queue })));
    }

    private static TokenBucketRateLimiterOptions Bucket(int burst, int perSecond) => new()
    {
        TokenLimit = burst,
        TokensPerPeriod = perSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        AutoReplenishment = true,
    };

    private static bool IsSearch(HttpContext http) =>
        http.Request.Path.Value?.EndsWith("/search", StringComparison.Ordinal) == true && http.Request.Query.ContainsKey("q");

    /// <summary>It lasts as long as the page is open.</summary>
    private static bool IsLive(HttpContext http) => http.Request.Path.Value?.EndsWith("/live", StringComparison.Ordinal) == true;

    /// <summary>One user may have as many IPv6 addresses as the last 64 bits can tell apart.</summary>
    private static string PrefixOf(IPAddress? address)
    {
        if (address is null)
        {
            return "";
        }

        return address.IsIPv4MappedToIPv6 || address.AddressFamily != AddressFamily.InterNetworkV6
            ? address.MapToIPv4().ToString()
            : Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8));
    }
}
