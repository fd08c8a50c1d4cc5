namespace LoggingService.RoomLogs;

/// <summary>
/// A Bloom filter of the ids of a room's earlier days, 14 bits a hash: 10 bits within one block of 64 bytes, so one cache miss; 0.3 % false
/// positives.
/// </summary>
internal sealed class IdFilter
{
    private const int BlockWords = 8;
    private const int BitsPerHash = 14;
    private const int Probes = 10;
    private ulong[]? _words;

    /// <param name="count">How many hashes will be added.</param>
    public IdFilter(long count)
    {
        _words = new ulong[((count * BitsPerHash / (BlockWords * 64)) + 1) * BlockWords];
        Size = _words.LongLength * sizeof(ulong);
    }

    /// <summary>Bytes in memory, until it is evicted.</summary>
    public long Size { get; }

    /// <summary>When it was used last, for the cache.</summary>
    public long LastUsed { get; private set; } = Environment.TickCount64;

    /// <summary>Adds hashes, before the filter is in the cache.</summary>
    public void Add(EventIdEntry[] entries)
    {
        foreach (var entry in entries)
        {
            Probe(_words!, entry.Hash, add: true);
        }
    }

    /// <summary>Whether a hash may be one of those; true for all once the filter was evicted, which can happen on any thread.</summary>
    public bool MayContain(ulong hash)
    {
        LastUsed = Environment.TickCount64;
        return Volatile.Read(ref _words) is not { } words || Probe(words, hash, add: false);
    }

    public void Evict() => Volatile.Write(ref _words, null);

    private static bool Probe(ulong[] words, ulong hash, bool add)
    {
        // The high bits of the hash choose the block; the product's bits are independent of them.
        var block = words.AsSpan((int)(((hash >> 32) * (ulong)(words.Length / BlockWords)) >> 32) * BlockWords, BlockWords);
        var bits = hash * 0x9E3779B97F4A7C15;
        var more = (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9;
        for (var i = 0; i < Probes; i++, bits >>= 9)
        {
            bits = i == Probes / 2 ? more : bits;
            ref var word = ref block[(int)(bits >> 6) & (BlockWords - 1)];
            var bit = 1UL << (int)(bits & 63);
            if (add)
            {
                word |= bit;
            }
            else if ((word & bit) == 0)
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>Bounds the memory of the filters of all rooms. Thread-safe.</summary>
internal sealed class IdFilterCache(long capacity = IdFilterCache.Capacity)
{
    /// <summary>
    /// 100 rooms with 30 days of 30,000 events need 150 MiB. A room whose filter was evicted searches the files of its days at each event.
    /// </summary>
    public const long Capacity = 192 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly HashSet<IdFilter> _filters = [];

    public long Size { get; private set; }

    /// <summary>Adds a filter; evicts the least recently used ones, or the filter itself if it is too large.</summary>
    public void Add(IdFilter filter)
    {
        lock (_lock)
        {
            _filters.Add(filter);
            Size += filter.Size;
            while (Size > capacity)
            {
                var oldest = filter.Size > capacity ? filter : _filters.Where(other => other != filter).MinBy(other => other.LastUsed)!;
                Remove(oldest);
                oldest.Evict();
            }
        }
    }

    public void Remove(IdFilter filter)
    {
        lock (_lock)
        {
            if (_filters.Remove(filter))
            {
                Size -= filter.Size;
            }
        }
    }
}
