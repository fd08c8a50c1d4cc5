using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Repairs a day's files when they are opened after a crash, a clean-up or an edit, so that line N of the text is line N of
/// the record. No data is ever discarded. Repairs are part of the next batch and go through the journal with it: a failed
/// fsync of their own would go unnoticed later.
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
            // The record is complete: the line is rendered again.
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

    /// <summary>Reads the record's event ids, and completes its last line or moves it to the quarantine; returns the line count.</summary>
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
                var unfinished = new Unloggable($"an unfinished line at the end of {_record.Name}", line.Bytes, IsJson: false);
                Quarantine.Keep(_root, Day, unfinished, _time.GetUtcNow());
                _record.Cut(line.Offset);
                lines--;
                Log.Torn(_logger, path);
            }
        }

        return lines;
    }

    private int CountLines(out long finished)
    {
        var lines = 0;
        finished = 0;
        foreach (var line in RecordReader.Lines(Path.Combine(_root, _text.File.Name)).Where(line => line.IsFinished))
        {
            lines++;
            finished = line.Offset + line.Bytes.Length + 1;
        }

        return lines;
    }

    /// <summary>Whether no lines were removed from a text with fewer lines than the record: compares its last line.</summary>
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
        var kept = $"{path}.old";
        for (var n = 1; File.Exists(kept); n++)
        {
            kept = $"{path}.old.{n}";
        }

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

    /// <summary>Points <c>latest.log</c> to the open day. A failure is logged once and retried with the next batch.</summary>
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
            if (_isLatest is null)
            {
                Log.LinkFailed(_logger, LatestLink, e.Message);
            }

            _isLatest = false;
        }
    }
}
