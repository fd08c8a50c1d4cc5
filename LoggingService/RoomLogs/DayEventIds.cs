using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// The ids of one day's record: in memory, or in the <c>.ids</c> file behind a filter. Rebuilt from the record wherever they
/// don't match it; <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/> only if the record can't be read.
/// </summary>
internal sealed class DayEventIds(string folder, DateOnly day, IdFilterCache filters, Func<string, ulong, ulong> hash) : IDisposable
{
    /// <summary>In place of the offset of a line that retention removed with its record.</summary>
    public const long NoLine = -1;

    private const ulong MaxDisplacement = 64;
    private readonly string _record = Path.Combine(folder, DayFileName.Record(day).ToString());
    private readonly string _text = Path.Combine(folder, DayFileName.Text(day).ToString());
    private readonly string _file = Path.Combine(folder, DayFileName.Ids(day).ToString());
    private EventIdTable? _table;
    private IdFilter? _filter;
    private bool _isCurrent;

    public DateOnly Day => day;

    public long Size => _table?.Size ?? 0;

    /// <summary>Loads the ids into memory, where they stay; returns whether the text is as the <c>.ids</c> file noted it.</summary>
    public bool StartWriting()
    {
        Dispose();
        _isCurrent = true;
        var text = Posix.Stat(_text);
        var record = RecordStamp.Read(_record);
        if (record is null)
        {
            Rebuild();
            return text is null;
        }

        try
        {
            var (table, isSame) = EventIdFile.Read(_file, record, file => (file.ReadTable(), file.HasText(text)));
            _table = table;
            return isSame;
        }
        catch (InvalidDataException)
        {
            Rebuild();
            return false;
        }
    }

    /// <summary>Moves the ids to the file. If it can't be written they stay in memory.</summary>
    /// <param name="record">The record after the last append: one that has changed since is read again at the next lookup.</param>
    public void StopWriting(Posix.FileIdentity? record, Posix.FileIdentity? text)
    {
        _isCurrent = false;
        if (RecordStamp.Read(_record) is { } stamp && (stamp.Inode, stamp.Length) == (record?.Inode, record?.Length))
        {
            TryWrite(stamp, text);
        }
        else
        {
            _table = null;
        }
    }

    public void Add(EventKeys keys, long offset)
    {
        Add(EventIdKind.Event, keys.EventId, offset);
        if (keys.Target is { } target)
        {
            Add(keys.Relation, target, offset);
        }
    }

    /// <summary>The offset of the line with a key, verified by reading it.</summary>
    public long? Find(EventIdKind kind, string key)
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            try
            {
                return FindOnce(kind, key);
            }
            catch (InvalidDataException)
            {
                Rebuild();
            }
        }

        throw new IOException($"{_record} changed while it was read");
    }

    /// <summary>Removes the filter from the cache.</summary>
    public void Dispose()
    {
        if (_filter is not null)
        {
            filters.Remove(_filter);
            _filter = null;
        }
    }

    private long? FindOnce(EventIdKind kind, string key)
    {
        var filter = _table is null ? LoadFilter() : null;
        var hashed = Hash(kind, key);
        if (filter is not null && !IdFilter.MayContain(filter, hashed))
        {
            return null;
        }

        for (var slot = hashed; (_table is null ? ReadOffset(slot) : _table.Get(slot)) is { } offset; slot++)
        {
            if (Posix.Stat(_record) is null)
            {
                return NoLine;
            }

            var keys = EventKeys.Read(_record, offset);
            if (keys?[kind] == key)
            {
                return offset;
            }

            if (keys is null || !IsSlotOf(keys.Value, slot))
            {
                throw new InvalidDataException($"{_record} has another line at {offset}");
            }
        }

        return null;
    }

    // An entry whose slot another key occupies has the next free one. The seed differs by kind.
    private ulong Hash(EventIdKind kind, string key) => hash(key, (_table?.Seed ?? _filter!.Seed) + (ulong)kind);

    private bool IsSlotOf(EventKeys keys, ulong slot) =>
        slot - Hash(EventIdKind.Event, keys.EventId) <= MaxDisplacement
        || (keys.Target is { } target && slot - Hash(keys.Relation, target) <= MaxDisplacement);

    private void Add(EventIdKind kind, string key, long offset)
    {
        // Of one key only the newest entry stays: an event may be edited a million times.
        var slot = Hash(kind, key);
        while (!_table!.TryAdd(slot, offset))
        {
            if (EventKeys.Read(_record, _table.Get(slot)!.Value)?[kind] == key)
            {
                _table.Set(slot, offset);
                return;
            }

            slot++;
        }
    }

    private ulong[] LoadFilter()
    {
        var words = _filter?.Words;
        if (words is null)
        {
            _filter = EventIdFile.Read(_file, RecordStamp.Read(_record), file => file.ReadFilter());
            words = _filter.Words!;
        }

        filters.Use(_filter!);
        return words;
    }

    private long? ReadOffset(ulong slot) => EventIdFile.Read(_file, RecordStamp.Read(_record), file => file.Seed == _filter!.Seed
        ? file.Find(slot)
        : throw new InvalidDataException($"{_file} was replaced"));

    private void Rebuild()
    {
        Dispose();
        _table = new((ulong)Random.Shared.NextInt64());
        if (RecordStamp.Read(_record) is not { } stamp)
        {
            return;
        }

        foreach (var line in RecordReader.Lines(_record))
        {
            if (EventKeys.Read(line.Bytes) is { } keys)
            {
                Add(keys, line.Offset);
            }
        }

        if (!_isCurrent)
        {
            TryWrite(stamp, Posix.Stat(_text));
        }
    }

    private void TryWrite(RecordStamp record, Posix.FileIdentity? text)
    {
        try
        {
            EventIdFile.Write(_file, record, text, _table!);
            _table = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The ids stay in memory.
        }
    }
}
