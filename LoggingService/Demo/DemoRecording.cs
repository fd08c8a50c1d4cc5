using System.Text.Json;
using System.Text.RegularExpressions;

namespace LoggingService.Demo;

/// <summary>An evening as a real Synapse pushed it: 185 events of 12 rooms.</summary>
internal static partial class DemoRecording
{
    /// <summary>A request of the homeserver's.</summary>
    /// <param name="Method">GET for an alias query, PUT for a transaction.</param>
    /// <param name="Target">Path and query, percent-encoded.</param>
    /// <param name="Body">The body as it was sent, or nothing.</param>
    public sealed record Request(string Method, string Target, string Body)
    {
        /// <summary>The events of a transaction.</summary>
        public IEnumerable<JsonElement> Events => Body.Length == 0 ? [] : JsonDocument.Parse(Body).RootElement.GetProperty("events").EnumerateArray();

        /// <summary>
        /// The body as if it happened now, and for the first time: with now's <c>origin_server_ts</c>, and other event ids
        /// in every run, because what was logged is not logged again.
        /// </summary>
        /// <param name="now">When it happens.</param>
        /// <param name="run">Four letters that no other run has.</param>
        public string BodyAt(DateTimeOffset now, string run) =>
            SentAt().Replace(EventId().Replace(Body, run), $"\"origin_server_ts\":{now.ToUnixTimeMilliseconds()}");
    }

    /// <summary>Its alias queries and transactions, in their order.</summary>
    public static IReadOnlyList<Request> Read()
    {
        using var lines = new StreamReader(typeof(DemoRecording).Assembly.GetManifestResourceStream("everyday.jsonl")!);
        var requests = new List<Request>();
        while (lines.ReadLine() is { } line)
        {
            using var request = JsonDocument.Parse(line);
            var (method, target) = (request.RootElement.GetProperty("method").GetString()!, request.RootElement.GetProperty("target").GetString()!);
            if (method != "POST")
            {
                requests.Add(new(method, target, request.RootElement.GetProperty("body").GetString()!));
            }
        }

        return requests;
    }

    // The first four letters of an id that is a whole string.
    [GeneratedRegex("""(?<="\$)[A-Za-z0-9_-]{4}(?=[A-Za-z0-9_-]{8,}[":])""")]
    private static partial Regex EventId();

    [GeneratedRegex("""(?<!\\)"origin_server_ts":[0-9]+""")]
    private static partial Regex SentAt();
}
