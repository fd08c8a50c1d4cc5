using LoggingService.Events;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// What a crash, a clean-up or an editor left behind in a day's files is mended when they are opened, so that line N of
/// the text is line N of the record again. Nothing is ever thrown away. What is put in waits for the batch in hand and goes
/// through the journal with it: a sync of its own could fail, and nobody would see afterwards that it isn't on the disk.
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
        var isWhole = lines == recorded && finished == _text.File.Length;
        if (finished < _text.File.Length)
        {
            // A view of the record, which is whole: the line is made again.
            _text.File.Cut(finished);
        }

        if (lines > recorded || (!isWhole && !IsBeginning(lines)))
        {
            SetTextAside();
            lines = 0;
        }

        if (lines < recorded)
        {
            RenderFrom(lines, recorded - lines);
        }
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
                _record.Pending.WriteByte((byte)'\n');
            }
            else
            {
                Quarantine.Keep(_root, Day, new Unloggable($"an unfinished line at the end of {_record.Name}", line.Bytes, IsJson: false), _time.GetUtcNow());
                _record.Cut(line.Offset);
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

    /// <summary>Whether the text, of fewer lines than the record, is its beginning: its last line is that of the event in the same place. Else somebody took lines out.</summary>
    private bool IsBeginning(int lines)
    {
        if (lines == 0)
        {
            return true;
        }

        RenderFrom(lines - 1, 1);
        var line = _text.File.Pending.Span.ToArray();
        _text.File.Rollback();
        var there = new byte[line.Length];
        return _text.File.Length >= line.Length
            && _text.File.Read(_text.File.Length - line.Length, there) == line.Length
            && there.AsSpan().SequenceEqual(line);
    }

    private void SetTextAside()
    {
        var path = Path.Combine(_root, _text.File.Name);
        var kept = Enumerable.Range(0, int.MaxValue).Select(n => n == 0 ? $"{path}.old" : $"{path}.old.{n}").First(name => !File.Exists(name));
        Posix.Rename(path, kept);
        _text.Dispose();
        _text = DayText.Open(_root, TextName(Day));
        Posix.Sync(Path.Combine(_root, _folder));
        Log.TooLong(_logger, path, Path.GetFileName(kept));
    }

    private void RenderFrom(int line, int count)
    {
        foreach (var recorded in RecordReader.Lines(Path.Combine(_root, _record.Name)).Skip(line).Take(count))
        {
            var e = RoomEvent.FromRecord(recorded.Bytes);
            var (time, text) = RecordText.ToLine(e, _time.LocalTimeZone, e => Render(e, recorded.Offset, receivedAt: null));
            _text.Append(time, text);
        }
    }

    /// <summary>Makes <c>latest.log</c> lead to the day that is open. Where it can't be made, which is told once, the next batch tries again.</summary>
    public void LinkLatest()
    {
        if (_isLatest == true)
        {
            return;
        }

        try
        {
            SymbolicLink.Replace(LatestLink, DayFileName.Text(Day).ToString());
            _isLatest = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A convenience: nobody loses an event by it.
            if (_isLatest is null)
            {
                Log.LinkFailed(_logger, LatestLink, e.Message);
            }

            _isLatest = false;
        }
    }
}
