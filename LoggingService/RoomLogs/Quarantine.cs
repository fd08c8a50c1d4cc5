using System.IO.Hashing;
using System.Text.Json;
using LoggingService.Files;
using LoggingService.Journal;

namespace LoggingService.RoomLogs;

/// <summary>
/// Complete input that could not be logged: <c>.quarantine/20261123.jsonl</c>, a JSON object per line with <c>received_ts</c>,
/// <c>reason</c>, <c>transaction_id</c>, and the input as <c>json</c> or, where it is not JSON, as <c>base64</c>; damaged bytes as
/// <c>&lt;hash of the bytes&gt;.bin</c>, so once. A resent transaction may repeat its lines.
/// </summary>
internal sealed class Quarantine : DayLog
{
    /// <summary>The folder in the log directory; no room or alias has this name.</summary>
    public const string Folder = ".quarantine";

    private const int Part = 48 * 1024;
    private static readonly Lock DamagedLock = new();
    private readonly AppendFile _file;
    private readonly string _folder;

    private Quarantine(string folder, DateOnly day, AppendFile file)
    {
        Day = day;
        _folder = folder;
        _file = file;
    }

    public override DateOnly Day { get; }

    /// <summary>
    /// Opens a day's file, and ends the line that a crash left incomplete, whose entry is in the journal, or another program, which may
    /// have left the only copy.
    /// </summary>
    public static Quarantine Open(string root, DateOnly day)
    {
        var folder = Path.Combine(root, Folder);
        Posix.CreateFolder(folder);
        var path = Path.Combine(folder, DayFileName.Record(day).ToString());
        if (!File.Exists(path) || FindTorn(path) is not { } end)
        {
            return new(folder, day, AppendFile.Open(path));
        }

        Posix.Truncate(path, end);
        var file = AppendFile.Open(path);
        file.Write("\n"u8);
        return new(folder, day, file);
    }

    /// <summary>Keeps damaged bytes, durably.</summary>
    public static void KeepDamaged(string root, ReadOnlySpan<byte> bytes)
    {
        var folder = Path.Combine(root, Folder);
        Posix.CreateFolder(folder);
        var path = Path.Combine(folder, $"{Convert.ToHexStringLower(XxHash128.Hash(bytes))}.bin");
        var copy = bytes.ToArray();
        lock (DamagedLock)
        {
            // Repairs of two rooms may keep the same bytes.
            AtomicFile.Replace(path, Posix.LogFileMode, file => file.Write(copy));
            Posix.Sync(root);
        }
    }

    /// <summary>Where the last line ends if it lacks its line break, without the zeros that a power cut can leave.</summary>
    private static long? FindTorn(string path) => RecordReader.Lines(path)
        .Select(line => line.IsFinished ? (long?)null : line.Offset + line.Bytes.Span.TrimEnd((byte)0).Length)
        .LastOrDefault();

    public override IReadOnlyList<LoggedLine> Append(IReadOnlyList<RoomEntry> entries, bool isReplay = false)
    {
        foreach (var entry in entries)
        {
            Write(entry.Entry);
        }

        _file.Flush();
        return IsUnchanged() ? [] : throw new FileChangedException(Folder);
    }

    public override bool IsUnchanged() => _file.IsUnchanged();

    public override void Sync()
    {
        _file.Sync();
        Posix.Sync(_folder);
    }

    public override void Dispose() => _file.Dispose();

    private void Write(JournalEntry entry)
    {
        using (var line = new Utf8JsonWriter(_file))
        {
            line.WriteStartObject();
            line.WriteNumber("received_ts", entry.ReceivedTs);
            line.WriteString("reason", entry.Reason ?? $"a journal entry of kind {(int)entry.Kind}");
            if (entry.TransactionId is not null)
            {
                line.WriteString("transaction_id", entry.TransactionId);
            }

            if (entry.IsJson && RawJson.TryParse(entry.Bytes, out var json, out _))
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
                var rest = entry.Bytes.Span;
                for (; rest.Length > Part; rest = rest[Part..])
                {
                    line.WriteBase64StringSegment(rest[..Part], isFinalSegment: false);
                    line.Flush();
                }

                line.WriteBase64StringSegment(rest, isFinalSegment: true);
            }

            line.WriteEndObject();
        }

        _file.Write("\n"u8);
    }
}
