using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LoggingService.Demo;

/// <summary>The requests of a real Synapse during an evening in one room, which <c>scripts/record-evening</c> recorded.</summary>
internal static partial class DemoRecording
{
    // Otherwise the web pages of the demo would be empty.
    private const string RecordedVisibility = "\"history_visibility\":\"shared\"";
    private const string PublicVisibility = "\"history_visibility\":\"world_readable\"";

    /// <summary>An alias query (GET) or a transaction (PUT); the target is percent-encoded.</summary>
    public sealed record Request(string Method, string Target, string Body)
    {
        public JsonArray Events => Body.Length == 0 ? [] : JsonNode.Parse(Body)!["events"]!.AsArray();

        public string BodyAt(DateTimeOffset sentAt) =>
            SentAt().Replace(Body, $"\"origin_server_ts\":{sentAt.ToUnixTimeMilliseconds()}");
    }

    /// <summary>Each call returns a new room and new event ids.</summary>
    public static IReadOnlyList<Request> Read()
    {
        // The service drops events that it has logged before. In the same room, state would be set again, to what it is.
        var run = RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 4);
        using var recording = new StreamReader(typeof(DemoRecording).Assembly.GetManifestResourceStream("evening.jsonl")!);
        var lines = recording.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => JsonNode.Parse(line)!).Select(request => new Request(
            (string)request["method"]!, (string)request["target"]!,
            Id().Replace((string)request["body"]!, run).Replace(RecordedVisibility, PublicVisibility, StringComparison.Ordinal)))];
    }

    // The first four characters of an event id or room id that is a whole string.
    [GeneratedRegex("""(?<="[$!])[A-Za-z0-9_-]{4}(?=[A-Za-z0-9_-]{8,}[":])""")]
    private static partial Regex Id();

    [GeneratedRegex("""(?<!\\)"origin_server_ts":[0-9]+""")]
    private static partial Regex SentAt();
}
