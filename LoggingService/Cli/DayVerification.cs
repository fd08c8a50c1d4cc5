using System.IO.Hashing;
using System.Text;
using LoggingService.Files;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>
/// Verifies the files of a room's day: the text has a line with the same time for each line of the record, no id is there twice, and the
/// file of ids finds each event. Not compared are the sentences: another version may word them otherwise, and an admin may have erased
/// some.
/// </summary>
/// <param name="earlier">The hashes of the ids of earlier days.</param>
internal sealed class DayVerification(string folder, DateOnly day, IEnumerable<IReadOnlySet<UInt128>> earlier)
{
    private const int MaxProblems = 10;
    private readonly List<(DayFileName File, string Problem)> _problems = [];
    private readonly HashSet<long> _events = [];

    /// <summary>The first ones.</summary>
    public IReadOnlyList<(DayFileName File, string Problem)> Problems => _problems;

    public HashSet<UInt128> Ids { get; } = [];

    public long Events => _events.Count;

    /// <exception cref="IOException">A file can't be read.</exception>
    public void Run()
    {
        var stamp = RecordStamp.Read(PathOf(DayFileName.Record(day)));
        using var record = Lines(DayFileName.Record(day)).GetEnumerator();
        using var text = Lines(DayFileName.Text(day)).GetEnumerator();
        var count = 0;
        while (true)
        {
            var isInRecord = record.MoveNext();
            var isInText = text.MoveNext();
            if (!isInRecord || !isInText)
            {
                if (isInRecord != isInText)
                {
                    Add(
                        DayFileName.Text(day),
                        isInText ? $"has more lines than its record: over {count}" : $"has only {count} lines of its record");
                }

                ReadRest(record, isInRecord);
                break;
            }

            count++;
            Verify(record.Current, count, text.Current.Bytes.Span);
        }

        VerifyIds(stamp);
        VerifyCompressed(DayFileName.Record(day));
        VerifyCompressed(DayFileName.Text(day));
    }

    /// <summary>A compressed copy next to a file is not read; a crash may have left it.</summary>
    private void VerifyCompressed(DayFileName name)
    {
        var (path, compressed) = (PathOf(name), PathOf(name.Compressed));
        if (File.Exists(path) && File.Exists(compressed) && !CompressedDay.IsStart(compressed, path))
        {
            _problems.Add((name.Compressed, $"has content that {name} does not have"));
        }
    }

    private void ReadRest(IEnumerator<RecordReader.Line> record, bool hasLine)
    {
        for (; hasLine; hasLine = record.MoveNext())
        {
            VerifyEvent(record.Current);
        }
    }

    private void Verify(RecordReader.Line line, int number, ReadOnlySpan<byte> text)
    {
        if (VerifyEvent(line) is { } e
            && Timestamp.Parse(text)?.ToUnixTimeSeconds() != LogLine.Time(e, TimeZoneInfo.Utc).ToUnixTimeSeconds())
        {
            Add(DayFileName.Text(day), $"line {number} is not that of {SafeText.EventId(Utf8Text.From(e.EventId))}");
        }
    }

    private RoomEvent? VerifyEvent(RecordReader.Line line)
    {
        var keys = EventKeys.Read(line.Bytes);
        if (keys is { EventId: var id })
        {
            _events.Add(line.Offset);
            var hash = XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(id));
            if (!Ids.Add(hash) || earlier.Any(ids => ids.Contains(hash)))
            {
                Add(DayFileName.Record(day), $"{SafeText.EventId(Utf8Text.From(id))} is logged twice");
            }
        }

        return RoomEvent.FromRecord(line.Bytes);
    }

    /// <summary>A file that is missing, or not of this record, is rebuilt when it is needed.</summary>
    private void VerifyIds(RecordStamp? stamp)
    {
        var name = DayFileName.Ids(day);
        EventIdEntry[] entries;
        try
        {
            if (stamp is null || !File.Exists(PathOf(name)))
            {
                return;
            }

            entries = EventIdFile.Read(PathOf(name), stamp, file => file.ReadEntries());
        }
        catch (InvalidDataException)
        {
            return;
        }

        // An event can have several entries, such as one for what it redacts.
        if (!_events.SetEquals(entries.Select(entry => entry.Offset).Where(offset => offset != DayEventIds.NoLine)))
        {
            Add(name, "does not fit the record; delete it while the service is stopped");
        }
    }

    private IEnumerable<RecordReader.Line> Lines(DayFileName name)
    {
        if (DayFile.Find(PathOf(name)) is null)
        {
            Add(name, "is missing");
            yield break;
        }

        foreach (var line in RecordReader.Lines(PathOf(name)))
        {
            if (!line.IsFinished)
            {
                Add(name, "ends without a line break; the next start repairs it");
            }

            yield return line;
        }
    }

    private string PathOf(DayFileName name) => Path.Combine(folder, name.ToString());

    private void Add(DayFileName file, string problem)
    {
        if (_problems.Count < MaxProblems)
        {
            var isCompressed = !File.Exists(PathOf(file)) && File.Exists(PathOf(file.Compressed));
            _problems.Add((isCompressed ? file.Compressed : file, problem));
        }
    }
}
