using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// The ids of one day's record: in memory, or in the <c>.ids</c> file. Rebuilt from the record wherever they don't match it;
/// <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/> only if the record can't be read.
/// </summary>
/// <param name="seed">The seed of ids that are built; a file may have another one.</param>
/// <param name="isReadOnly">Ids that are built stay in memory: the writer may write the file.</param>
internal sealed class DayEventIds(string folder, DateOnly day, ulong seed, Func<string, ulong, ulong> hash, bool isReadOnly = false)
{
    /// <summary>In place of the offset of a line that retention removed with its record.</summary>
    public const long NoLine = -1;

    private const ulong MaxDisplacement = 64;
    private readonly string _record = Path.Combine(folder, DayFileName.Record(day).ToString());
    private readonly string _text = Path.Combine(folder, DayFileName.Text(day).ToString());
    private readonly string _file = Path.Combine(folder, DayFileName.Ids(day).ToString());
    private EventIdTable? _table;
    private bool _isCurrent;

    /// <summary>While ids are built, the lines that later ones may replace, by offset: a compressed record is slow to read.</summary>
    private Dictionary<long, EventKeys>? _replaceable;

    public DateOnly Day => day;

    /// <summary>The open record of the day that is written to.</summary>
    public RecordReader.ReadAt? OpenRecord { get; set; }

    public long Size => _table?.Size ?? 0;

    /// <summary>How often the ids were rebuilt.</summary>
    public int Rebuilds { get; private set; }

    /// <summary>Loads the ids into memory, where they stay; returns whether the text is as the <c>.ids</c> file noted it.</summary>
    public bool StartWriting()
    {
        _isCurrent = true;
        var text = Posix.Stat(_text);
        var record = RecordStamp.Read(_record);
        var isSame = false;
        try
        {
            (_table, isSame) = record is null && !File.Exists(_file)
                ? (new(seed), false)
                : EventIdFile.Read(_file, record, file => (file.ReadTable(hasLines: record is not null), file.HasText(text)));
        }
        catch (InvalidDataException)
        {
            Rebuild();
        }

        return record is null ? text is null : isSame;
    }

    /// <summary>Moves the ids to the file. If it can't be written they stay in memory.</summary>
    /// <param name="record">The record after the last append: one that has changed since is read again at the next lookup.</param>
    public void StopWriting(Posix.FileIdentity? record, Posix.FileIdentity? text)
    {
        _isCurrent = false;
        OpenRecord = null;
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

        if (keys.State is { } state)
        {
            Add(EventIdKind.State, state, offset);
        }
    }

    /// <summary>The offset of the line with a key, verified by reading it.</summary>
    public long? Find(EventIdKind kind, string key)
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            try
            {
                return _table is { } table
                    ? Find(table.Seed, table.Get, kind, key)
                    : EventIdFile.Read(_file, RecordStamp.Read(_record), file => Find(file.Seed, file.Find, kind, key));
            }
            catch (InvalidDataException)
            {
                Rebuild();
            }
        }

        throw new IOException($"{_record} changed while it was read");
    }

    /// <summary>How many hashes a day that is not written to has; <c>null</c> if they are not of the seed, nor can be rebuilt.</summary>
    public long? Count()
    {
        for (var attempt = 0; attempt < 2; attempt++)
        {
            try
            {
                var record = RecordStamp.Read(_record);
                var (found, count) = _table is { } table
                    ? (table.Seed, table.Count)
                    : EventIdFile.Read(_file, record, file => (file.Seed, file.Count));
                if (found == seed || record is null)
                {
                    return found == seed ? count : null;
                }
            }
            catch (InvalidDataException)
            {
                // The file is missing, damaged or outdated.
            }

            Rebuild();
        }

        return null;
    }

    /// <summary>Adds the hashes to a filter; false if another program changed the record since <see cref="Count"/>.</summary>
    public bool TryAddTo(IdFilter filter)
    {
        try
        {
            filter.Add(_table?.ToSortedArray() ?? EventIdFile.Read(_file, RecordStamp.Read(_record), file => file.ReadEntries()));
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private long? Find(ulong tableSeed, Func<ulong, long?> get, EventIdKind kind, string key)
    {
        for (var slot = Hash(tableSeed, kind, key); get(slot) is { } offset; slot++)
        {
            if (offset == NoLine || (OpenRecord is null && DayFile.Find(_record) is null))
            {
                return NoLine;
            }

            EventKeys? keys;
            try
            {
                keys = ReadKeys(offset);
            }
            catch (DamagedFileException)
            {
                // The hash alone tells that the event is known.
                return NoLine;
            }

            if (keys?[kind] == key)
            {
                return offset;
            }

            if (keys is null || !IsSlotOf(keys.Value, slot, tableSeed))
            {
                throw new InvalidDataException($"{_record} has another line at {offset}");
            }
        }

        return null;
    }

    // An entry whose slot another key occupies has the next free one. The seed differs by kind.
    private ulong Hash(ulong tableSeed, EventIdKind kind, string key) => hash(key, tableSeed + (ulong)kind);

    private bool IsSlotOf(EventKeys keys, ulong slot, ulong tableSeed) =>
        slot - Hash(tableSeed, EventIdKind.Event, keys.EventId) <= MaxDisplacement
        || (keys.Target is { } target && slot - Hash(tableSeed, keys.Relation, target) <= MaxDisplacement)
        || (keys.State is { } state && slot - Hash(tableSeed, EventIdKind.State, state) <= MaxDisplacement);

    private void Add(EventIdKind kind, string key, long offset)
    {
        // Of one key only the newest entry stays: an event may be edited a million times.
        var slot = Hash(_table!.Seed, kind, key);
        while (!_table.TryAdd(slot, offset))
        {
            var other = _table.Get(slot)!.Value;
            if (other == NoLine || KeysAt(other)?[kind] == key)
            {
                _table.Set(slot, offset);
                _replaceable?.Remove(other);
                return;
            }

            slot++;
        }
    }

    private EventKeys? KeysAt(long offset) =>
        _replaceable?.TryGetValue(offset, out var keys) == true ? keys : ReadKeys(offset);

    private EventKeys? ReadKeys(long offset) =>
        OpenRecord is { } open ? EventKeys.Read(RecordReader.LineAt(open, offset)) : EventKeys.Read(_record, offset);

    private void Rebuild()
    {
        Rebuilds++;
        _table = new(seed);
        if (RecordStamp.Read(_record) is not { } stamp)
        {
            return;
        }

        try
        {
            _replaceable = [];
            foreach (var line in RecordReader.Lines(_record))
            {
                if (EventKeys.Read(line.Bytes) is { } keys)
                {
                    Add(keys, line.Offset);
                    if (keys.Target is not null || keys.State is not null)
                    {
                        _replaceable[line.Offset] = keys;
                    }
                }
            }
        }
        catch
        {
            // The next lookup reads the record again: a part of the ids would pass for all.
            _table = null;
            throw;
        }
        finally
        {
            _replaceable = null;
        }

        if (!_isCurrent && !isReadOnly)
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
