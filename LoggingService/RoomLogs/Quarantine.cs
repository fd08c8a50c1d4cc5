using System.Text.Json;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Complete input that could not be logged: <c>.quarantine/20261123.jsonl</c>, a JSON object per line with <c>received_ts</c>,
/// <c>reason</c>, <c>transaction_id</c>, and the input as <c>json</c> or, where it is not JSON, as <c>base64</c>. A resent
/// transaction may repeat its lines.
/// </summary>
internal static class Quarantine
{
    /// <summary>The folder in the log directory; no room or alias has this name.</summary>
    public const string Folder = ".quarantine";

    /// <summary>The name suffix of a day's incomplete lines.</summary>
    public const string TornSuffix = ".torn.jsonl";

    private const int Part = 48 * 1024;

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
            // An incomplete line after a crash stays, as its own line.
            file.Pending.WriteByte((byte)'\n');
        }

        return file;
    }

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
                json.WriteSingleLine(oneLine);
                line.WritePropertyName("json");
                line.WriteRawValue(oneLine.GetBuffer().AsSpan(0, (int)oneLine.Length), skipInputValidation: true);
            }
            else
            {
                // In parts: the input may be as large as a body, and the writer would buffer it several times.
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

    /// <summary>Appends a line outside of a batch, to a file of its own: the journal would truncate the day's main file.</summary>
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
