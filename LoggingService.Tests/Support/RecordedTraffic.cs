using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>Requests that were recorded from a real Synapse: see Traffic/README.md.</summary>
public static class RecordedTraffic
{
    /// <summary>One request, as it was sent.</summary>
    public sealed record Request(string Method, string Target, string Body);

    /// <summary>The requests of a recording, in their order.</summary>
    public static IReadOnlyList<Request> Read(string name) =>
    [
        .. from line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Traffic", $"{name}.jsonl"))
           let request = JsonDocument.Parse(line).RootElement
           select new Request(request.GetProperty("method").GetString()!, request.GetProperty("target").GetString()!, request.GetProperty("body").GetString()!),
    ];
}
