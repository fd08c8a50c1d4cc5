namespace LoggingService.RoomLogs;

/// <summary>A Bloom filter, 10 bits a hash: 7 bits within one block of 64 bytes, so one cache miss; 1 % false positives.</summary>
internal sealed class IdFilter
{
    private const int BlockWords = 8;

    public IdFilter(ulong seed, ulong[] words)
    {
        Seed = seed;
        Words = words;
        Size = words.LongLength * sizeof(ulong);
        Node = new(this);
    }

    public ulong Seed { get; }

    /// <summary><c>null</c> once the cache has evicted the filter, which can happen on any thread.</summary>
    public ulong[]? Words { get; set; }

    public long Size { get; }

    /// <summary>Set at each use; the cache clears it.</summary>
    public bool WasUsed { get; set; }

    public LinkedListNode<IdFilter> Node { get; }

    public static ulong[] Create(EventIdEntry[] entries)
    {
        var words = new ulong[((entries.LongLength * 10 / (BlockWords * 64)) + 1) * BlockWords];
        foreach (var entry in entries)
        {
            Probe(words, entry.Hash, set: true);
        }

        return words;
    }

    public static bool MayContain(ulong[] words, ulong hash) => Probe(words, hash, set: false);

    private static bool Probe(ulong[] words, ulong hash, bool set)
    {
        // The high bits of the hash choose the block; multiplied, its bits are independent of them.
        var block = words.AsSpan((int)Math.BigMul(hash, (ulong)(words.Length / BlockWords), out _) * BlockWords, BlockWords);
        var bits = hash * 0x9E3779B97F4A7C15;
        for (var i = 0; i < 7; i++, bits >>= 9)
        {
            ref var word = ref block[(int)(bits >> 6) % BlockWords];
            var bit = 1UL << (int)(bits % 64);
            if (set)
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

/// <summary>Bounds the memory of the filters of all rooms; evicts the least recently used (second chance). Thread-safe.</summary>
internal sealed class IdFilterCache(long capacity = IdFilterCache.Capacity)
{
    /// <summary>100 rooms with 30 days of 30,000 events need 110 MiB; with less, each of their events would read 30 filters.</summary>
    public const long Capacity = 128 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly LinkedList<IdFilter> _filters = [];

    public long Size { get; private set; }

    public void Add(IdFilter filter)
    {
        lock (_lock)
        {
            while (_filters.First is { } oldest && Size + filter.Size > capacity)
            {
                Remove(oldest.Value);
                if (oldest.Value.WasUsed)
                {
                    oldest.Value.WasUsed = false;
                    Append(oldest.Value);
                }
                else
                {
                    oldest.Value.Words = null;
                }
            }

            Append(filter);
        }
    }

    public void Remove(IdFilter filter)
    {
        lock (_lock)
        {
            if (filter.Node.List is not null)
            {
                _filters.Remove(filter.Node);
                Size -= filter.Size;
            }
        }
    }

    private void Append(IdFilter filter)
    {
        _filters.AddLast(filter.Node);
        Size += filter.Size;
    }
}
