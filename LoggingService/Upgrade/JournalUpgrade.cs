using System.Buffers;
using LoggingService.Files;
using LoggingService.Journal;

namespace LoggingService.Upgrade;

/// <summary>
/// Converts the journal that version 0.1 left behind. It logged the bytes that a killed process may not have written to the files: the
/// lines of records become entries with the time and the day that they have; the lines of texts are left out, since texts are rendered.
/// </summary>
internal static partial class JournalUpgrade
{
    private const int EntriesPerFrame = 100;

    /// <summary>
    /// Replaces segments of version 0.1 by one of today's format, before the journal is read. A killed upgrade is completed by the next
    /// one.
    /// </summary>
    /// <param name="damaged">Receives bytes that are neither a frame nor an unacknowledged end.</param>
    /// <exception cref="IOException">It failed: some or all of the old segments are still there.</exception>
    public static void Run(string root, Action<DamagedBytes> damaged, ILogger logger)
    {
        var folder = Path.Combine(root, WriteAheadJournal.FolderName);
        var segments = JournalSegment.Find(folder);
        var old = segments.Select(segment => LegacySegment.Read(segment.Path)).OfType<LegacySegment>().ToList();
        if (old.Count > 0)
        {
            // The new segment gets its name when it is complete and durable. If it has it, an earlier upgrade was killed after that.
            var (lastPath, lastNumber) = segments[^1];
            if (!JournalSegment.HasHeader(lastPath))
            {
                KeepDamaged(old, isLast: segment => segment.Path == lastPath, damaged);
                Write(folder, lastNumber + 1, Entries(old));
            }

            foreach (var segment in old)
            {
                File.Delete(segment.Path);
            }

            Posix.Sync(folder);
            Log.Upgraded(logger, old.Count);
        }

        // A recycled segment of version 0.1; today's journal deletes the other one, "spare".
        var recycled = Path.Combine(folder, "used");
        if (File.Exists(recycled))
        {
            File.Delete(recycled);
        }
    }

    private static void KeepDamaged(List<LegacySegment> old, Func<LegacySegment, bool> isLast, Action<DamagedBytes> damaged)
    {
        foreach (var segment in old.Where(segment => segment.Rest.Bytes.Length > 0))
        {
            if (!isLast(segment) || segment.HasFrameInRest)
            {
                damaged(segment.Rest);
            }
        }
    }

    private static IEnumerable<JournalEntry> Entries(List<LegacySegment> old)
    {
        foreach (var write in ValidWrites(old.SelectMany(segment => segment.Writes)))
        {
            if (DayFileName.Parse(Path.GetFileName(write.Name)) is { IsRecord: true, Day: var day })
            {
                var isQuarantine = Path.GetDirectoryName(write.Name) == ".quarantine";
                foreach (var line in Lines(write.Bytes))
                {
                    yield return isQuarantine ? Quarantined(day, line) : Event(day, line);
                }
            }
        }
    }

    /// <summary>
    /// A write voids earlier ones of its file from its offset on, since they failed or another program removed their lines, and all where
    /// it doesn't continue them, since another program had changed the file, and the rest was synced.
    /// </summary>
    private static IEnumerable<LegacySegment.Write> ValidWrites(IEnumerable<LegacySegment.Write> writes)
    {
        var files = new Dictionary<string, List<LegacySegment.Write>>();
        foreach (var write in writes)
        {
            if (!files.TryGetValue(write.Name, out var valid))
            {
                files[write.Name] = valid = [];
            }

            if (valid.Count > 0 && (write.Offset < valid[0].Offset || write.Offset > valid[^1].End))
            {
                valid.Clear();
            }

            while (valid.Count > 0 && valid[^1].End > write.Offset)
            {
                var kept = Math.Max(0, (int)(write.Offset - valid[^1].Offset));
                valid[^1] = valid[^1] with { Bytes = valid[^1].Bytes[..kept] };
                if (kept == 0)
                {
                    valid.RemoveAt(valid.Count - 1);
                }
            }

            valid.Add(write);
        }

        return files.Values.SelectMany(valid => valid);
    }

    /// <summary>The complete lines.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(ReadOnlyMemory<byte> bytes)
    {
        for (int length; (length = bytes.Span.IndexOf((byte)'\n')) >= 0; bytes = bytes[(length + 1)..])
        {
            if (length > 0)
            {
                yield return bytes[..length];
            }
        }
    }

    /// <summary>The event as it was pushed: the line of a record without the key that the service appended.</summary>
    private static JournalEntry Event(DateOnly day, ReadOnlyMemory<byte> line)
    {
        var pushed = line.Span.LastIndexOf(",\"received_ts\":"u8);
        return RoomEvent.FromRecord(line)?.ReceivedTs is { } receivedTs && pushed > 0
            ? new(JournalEntryKind.Event, receivedTs, day, (byte[])[.. line.Span[..pushed], (byte)'}'])
            : new(JournalEntryKind.Unloggable, 0, day, line) { Reason = "a line of a record without an event" };
    }

    private static JournalEntry Quarantined(DateOnly day, ReadOnlyMemory<byte> line)
    {
        if (!RawJson.TryParse(line, out var fields, out _))
        {
            return new(JournalEntryKind.Unloggable, 0, day, line) { Reason = "a line of the quarantine that is not JSON" };
        }

        var json = fields["json"u8].Bytes;
        return new(
            JournalEntryKind.Unloggable,
            fields["received_ts"u8].AsInteger() ?? 0,
            day,
            json.IsEmpty ? Convert.FromBase64String(fields["base64"u8].AsString() ?? "") : json)
        {
            Reason = fields["reason"u8].AsString(),
            TransactionId = fields["transaction_id"u8].AsString(),
            IsJson = !json.IsEmpty,
        };
    }

    private static void Write(string folder, long number, IEnumerable<JournalEntry> entries)
    {
        var unfinished = Path.Combine(folder, "upgrade");
        File.Delete(unfinished);
        using (var segment = JournalSegment.Create(unfinished, number))
        {
            var buffer = new ArrayBufferWriter<byte>();
            foreach (var (index, frame) in entries.Chunk(EntriesPerFrame).Index())
            {
                JournalFrame.Begin(buffer);
                foreach (var entry in frame)
                {
                    entry.Write(buffer);
                }

                segment.Append(buffer, sequence: index + 1);
            }

            segment.Sync();
        }

        Posix.Rename(unfinished, Path.Combine(folder, JournalSegment.Name(number)));
        Posix.Sync(folder);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.JournalUpgraded, LogLevel.Information,
            "Upgraded the journal of version 0.1 after an unclean shutdown: converted {SegmentCount} segments")]
        public static partial void Upgraded(ILogger logger, int segmentCount);
    }
}
