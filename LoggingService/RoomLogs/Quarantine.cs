using System.Text.Json;
using LoggingService.Events;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// What could not be logged, whole: <c>.quarantine/20261123.jsonl</c>, a JSON object a line with <c>received_ts</c>,
/// <c>reason</c>, the <c>transaction_id</c> that it came with, and what came as <c>json</c> or, where it is none, as
/// <c>base64</c>. A transaction that is sent again may repeat its lines.
/// </summary>
internal static class Quarantine
{
    /// <summary>Its folder's name in the log directory; no room and no alias has it.</summary>
    public const string Folder = ".quarantine";

    /// <summary>What the name of a day's unfinished lines has after the day.</summary>
    public const string TornSuffix = ".torn.jsonl";

    private const int Part = 48 * 1024;

    /// <summary>Opens a day's quarantine.</summary>
    /// <param name="root">The log directory.</param>
    /// <param name="day">The day of arrival.</param>
    public static DayFile Open(string root, DateOnly day) => Open(root, NameOf(day));

    /// <summary>The path of a day's quarantine within the log directory.</summary>
    public static string NameOf(DateOnly day) => $"{Folder}/{DayFileName.Record(day)}";

    private static DayFile Open(string root, string name)
    {
        Posix.CreateFolder(Path.Combine(root, Folder));
        var file = DayFile.Open(root, name);
        var last = new byte[1];
        if (file.Length > 0 && file.Read(file.Length - 1, last) == 1 && last[0] != '\n')
        {
            // A line that a crash left unfinished stays, as a line of its own.
            file.Pending.WriteByte((byte)'\n');
        }

        return file;
    }

    /// <summary>Appends a line to the file's pending bytes.</summary>
    public static void Append(DayFile file, Unloggable unloggable, string? transactionId, DateTimeOffset receivedAt)
    {
        using (var line = new Utf8JsonWriter(file.Pending))
        {
            line.WriteStartObject();
            line.WriteNumber("received_ts", receivedAt.ToUnixTimeMilliseconds());
            line.WriteString("reason", unloggable.Reason);
            if (transactionId is not null)
            {
                line.WriteString("transaction_id", transactionId);
            }

            if (unloggable.IsJson && RawJson.TryParse(unloggable.Bytes, out var json, out _))
            {
                using var oneLine = new MemoryStream();
                json.WriteAsOneLine(oneLine);
                line.WritePropertyName("json");
                line.WriteRawValue(oneLine.GetBuffer().AsSpan(0, (int)oneLine.Length), skipInputValidation: true);
            }
            else
            {
                // In parts: what can't be logged may be as large as a body, and the writer would hold all of it several times.
                line.WritePropertyName("base64");
                var rest = unloggable.Bytes.Span;
                for (; rest.Length > Part; rest = rest[Part..])
                {
                    line.WriteBase64StringSegment(rest[..Part], isFinalSegment: false);
                    line.Flush();
                }

                line.WriteBase64StringSegment(rest, isFinalSegment: true);
            }

            line.WriteEndObject();
        }

        file.Pending.WriteByte((byte)'\n');
    }

    /// <summary>
    /// Appends a line and syncs it, outside of a batch: to <c>20261123.torn.jsonl</c>, because a batch may have the day's
    /// own file open, and the journal would cut it back to what it knows of it.
    /// </summary>
    public static void Keep(string root, DateOnly day, Unloggable unloggable, DateTimeOffset receivedAt)
    {
        using var file = Open(root, $"{Folder}/{new DayFileName(day, TornSuffix)}");
        Append(file, unloggable, transactionId: null, receivedAt);
        file.Write();
        file.Sync();
        Posix.Sync(Path.Combine(root, Folder));
        Posix.Sync(root);
    }
}
