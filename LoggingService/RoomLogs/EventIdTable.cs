namespace LoggingService.RoomLogs;

/// <summary>The hash of an id and the offset of its line.</summary>
internal readonly record struct EventIdEntry(ulong Hash, long Offset);

/// <summary>
/// Entries in memory: a hash table with linear probing, 16 bytes a slot, of which at most 80 % are used. A dictionary would need 28 bytes
/// a slot and two cache misses a lookup.
/// </summary>
/// <param name="expected">Entries that will be added: sorted ones would crowd at the front of a small table.</param>
internal sealed class EventIdTable(ulong seed, int expected = 0)
{
    private const int InitialSlots = 16;

    // The offsets are stored increased by this: 0 is an empty slot, 1 an id without a line.
    private const int Shift = 2;
    private EventIdEntry[] _slots = new EventIdEntry[InitialSlots + (expected * 4 / 3)];

    public ulong Seed => seed;

    public long Count { get; private set; }

    /// <summary>Bytes in memory.</summary>
    public long Size => _slots.LongLength * 16;

    public long? Get(ulong hash) => Find(_slots, hash) is { Offset: > 0 } entry ? entry.Offset - Shift : null;

    public void Set(ulong hash, long offset)
    {
        if (TryAdd(hash, offset))
        {
            return;
        }

        Find(_slots, hash) = new(hash, offset + Shift);
    }

    /// <summary>False if the hash has an entry, which stays.</summary>
    public bool TryAdd(ulong hash, long offset)
    {
        ref var slot = ref Find(_slots, hash);
        if (slot.Offset > 0)
        {
            return false;
        }

        slot = new(hash, offset + Shift);
        Count++;
        if (Count > _slots.Length * 4L / 5)
        {
            Grow();
        }

        return true;
    }

    public EventIdEntry[] ToSortedArray() =>
    [
        .. _slots
            .Where(entry => entry.Offset > 0)
            .Select(entry => entry with { Offset = entry.Offset - Shift })
            .OrderBy(entry => entry.Hash),
    ];

    /// <summary>The slot of a hash, or the empty one for it.</summary>
    private static ref EventIdEntry Find(EventIdEntry[] slots, ulong hash)
    {
        var i = (int)(((hash >> 32) * (ulong)slots.Length) >> 32);
        while (slots[i].Offset > 0 && slots[i].Hash != hash)
        {
            i = i + 1 == slots.Length ? 0 : i + 1;
        }

        return ref slots[i];
    }

    private void Grow()
    {
        // By half only: the memory counts for each event of the day.
        var slots = new EventIdEntry[_slots.Length * 3 / 2];
        foreach (var entry in _slots)
        {
            if (entry.Offset > 0)
            {
                Find(slots, entry.Hash) = entry;
            }
        }

        _slots = slots;
    }
}
