using LoggingService.Lines;
using LoggingService.Transactions;

namespace LoggingService.RoomLogs;

/// <summary>
/// What a crash, a clean-up or an editor left behind in a day's files is mended when they are opened, so that line N of
/// the text is line N of the record again. Nothing is ever thrown away.
/// </summary>
internal sealed partial class RoomLog
{
    private void Mend()
    {
        if (_record.Length == 0 && _text.File.Length == 0)
        {
            return;
        }

        var recorded = FinishRecord();
        var lines = CountLines(out var finished);
        if (lines == recorded && finished == _text.File.Length)
        {
            return;
        }

        var path = Path.Combine(_root, _text.File.Name);
        if (lines > recorded)
        {
            SetAside(path);
            (lines, finished) = (0, 0);
        }

        // A view of the record, which is whole: what is missing is made again, and a last line that is none.
        RenderFrom(lines);
        FileRedo.MakeAnew(path, finished, _text.File.Pending.GetBuffer().AsSpan(0, (int)_text.File.Pending.Length));
        _text.Dispose();
        _text = DayText.Open(_root, TextName(Day));
    }

    /// <summary>Learns the ids of the record's events, and gives its last line the line break that it may lack, or puts it into the quarantine.</summary>
    /// <returns>How many lines it has.</returns>
    private int FinishRecord()
    {
        var path = Path.Combine(_root, _record.Name);
        var lines = 0;
        foreach (var line in RecordReader.Lines(path))
        {
            Know(_known, line);
            lines++;
            if (line.IsFinished)
            {
                continue;
            }

            if (RoomEvent.FromRecord(line.Bytes) is not null)
            {
                // With the next batch, and through the journal: a power cut can leave another byte in its place.
                _record.Pending.WriteByte((byte)'\n');
            }
            else
            {
                Quarantine.Keep(_root, Day, new Unloggable($"an unfinished line at the end of {_record.Name}", line.Bytes, IsJson: false), _time.GetUtcNow());
                _record.Cut(line.Offset);
                _record.Sync();
                lines--;
                Log.Torn(_logger, path);
            }
        }

        return lines;
    }

    private int CountLines(out long finished)
    {
        (var lines, finished) = (0, 0);
        foreach (var line in RecordReader.Lines(Path.Combine(_root, _text.File.Name)).Where(line => line.IsFinished))
        {
            lines++;
            finished = line.Offset + line.Bytes.Length + 1;
        }

        return lines;
    }

    private void SetAside(string path)
    {
        var kept = Enumerable.Range(0, int.MaxValue).Select(n => n == 0 ? $"{path}.old" : $"{path}.old.{n}").First(name => !File.Exists(name));
        Disk.Rename(path, kept);
        Log.TooLong(_logger, path, Path.GetFileName(kept));
    }

    private void RenderFrom(int line)
    {
        foreach (var recorded in RecordReader.Lines(Path.Combine(_root, _record.Name)).Skip(line))
        {
            if (RoomEvent.FromRecord(recorded.Bytes) is { } e)
            {
                _text.Append(LogLine.Time(e, receivedAt: null, _time.LocalTimeZone), Render(e, recorded.Offset, receivedAt: null));
            }
            else
            {
                _text.Append(DateTimeOffset.UnixEpoch, RecordText.NoEvent);
            }
        }
    }

    private void LinkLatest()
    {
        var link = Path.Combine(_root, _folder, "latest.log");
        try
        {
            Disk.ReplaceLink(link, $"{DayName(Day)}.log");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A convenience: nobody loses an event by it.
            Log.LinkFailed(_logger, link, e.Message);
        }
    }
}
