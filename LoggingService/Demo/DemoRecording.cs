using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LoggingService.Demo;

/// <summary>The requests of a real Synapse during an evening: 185 events of 12 rooms.</summary>
internal static partial class DemoRecording
{
    /// <summary>An alias query (GET) or a transaction (PUT); the target is percent-encoded.</summary>
    public sealed record Request(string Method, string Target, string Body)
    {
        public JsonArray Events => Body.Length == 0 ? [] : JsonNode.Parse(Body)!["events"]!.AsArray();

        // Each run has event ids of its own, by four letters in them: the service drops events that it has logged before.
        public string BodyAt(DateTimeOffset now, string run) =>
            SentAt().Replace(EventId().Replace(Body, run), $"\"origin_server_ts\":{now.ToUnixTimeMilliseconds()}");
    }

    public static IReadOnlyList<Request> Read()
    {
        using var recording = new StreamReader(typeof(DemoRecording).Assembly.GetManifestResourceStream("everyday.jsonl")!);
        var lines = recording.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var requests = lines.Select(line => JsonNode.Parse(line)!)
            .Select(request => new Request((string)request["method"]!, (string)request["target"]!, (string)request["body"]!));
        return [.. requests.Where(request => request.Method != "POST")];
    }

    // The first four characters of an event id that is a whole string.
    [GeneratedRegex("""(?<="\$)[A-Za-z0-9_-]{4}(?=[A-Za-z0-9_-]{8,}[":])""")]
    private static partial Regex EventId();

    [GeneratedRegex("""(?<!\\)"origin_server_ts":[0-9]+""")]
    private static partial Regex SentAt();
}
