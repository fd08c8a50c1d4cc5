using System.Buffers;
using System.Diagnostics;

namespace LoggingService.Journal;

/// <summary>
/// What was acknowledged and is not yet synced into the rooms' files: segments of frames in <c>.journal/</c>. Transactions that wait at
/// the same time share one frame, one write and one sync (group commit, without a timer). There is no bookmark: the oldest remaining
/// segment is the position. Safe for concurrent use.
/// </summary>
/// <param name="time">Stamps entries with the time and the day of their commit, in the time zone of the process.</param>
internal sealed class WriteAheadJournal(string root, TimeProvider time) : IDisposable
{
    public const string FolderName = ".journal";

    /// <summary>Bytes after which a segment is full. A larger frame gets a segment of its own.</summary>
    public const int SegmentSize = 32 * 1024 * 1024;

    private const int BufferKept = 1024 * 1024;
    private static readonly TimeSpan DisposeTimeout = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private readonly Lock _dropLock = new();
    private readonly SemaphoreSlim _commitGate = new(1, 1);
    private readonly List<(IReadOnlyList<JournalEntry> Entries, TaskCompletionSource Committed)> _pending = [];
    private readonly RecycledSegment _recycled = new(Path.Combine(root, FolderName));
    private SegmentSeries _segments = new(Path.Combine(root, FolderName));
    private ArrayBufferWriter<byte> _buffer = new();
    private JournalSegment? _current;
    private long _lastUsed;
    private long _lastDurable;
    private int _readers;
    private int _generation;
    private bool _isCommitting;
    private volatile bool _isDisposed;

    /// <summary>Receives each frame after its sync and before its appends return, in order. Set before the first append.</summary>
    public Action<JournalFrame> Committed { private get; set; } = static _ => { };

    /// <summary>Throws <see cref="JournalMovedException"/> if the log directory is not the one that was opened.</summary>
    public Action VerifyRoot { private get; set; } = static () => { };

    /// <summary>Counts the calls of <see cref="Restart"/>.</summary>
    public int Generation => Volatile.Read(ref _generation);

    /// <summary>The sequence of the last durable frame; 0 before the first.</summary>
    public long LastSequence => Volatile.Read(ref _lastDurable);

    /// <summary>Bytes of all remaining segments.</summary>
    public long Size => _segments.Segments.Sum(segment => segment.End);

    /// <summary>The last sequence of the oldest segment that is not appended to anymore; <c>null</c> if there is none.</summary>
    public long? OldestSealed => _segments.Segments.FirstOrDefault(segment => segment.IsSealed)?.LastSequence;

    /// <summary>Later frames get higher sequences than this one: parked entries have it.</summary>
    public void StartAfter(long sequence)
    {
        _lastUsed = Math.Max(_lastUsed, sequence);
        _lastDurable = _lastUsed;
    }

    /// <summary>
    /// Reads the frames of an earlier process. Later appends get higher sequences, in new segments. To be enumerated once, to its end,
    /// before the first append.
    /// </summary>
    public IEnumerable<JournalFrame> Replay(Action<DamagedBytes> damaged)
    {
        _recycled.Delete();
        foreach (var frame in _segments.Replay(damaged))
        {
            StartAfter(frame.Sequence);
            yield return frame;
        }
    }

    /// <summary>Appends entries as one unit: all of them are durable, or none. They are stamped in the order of the journal.</summary>
    /// <returns>Completes when they are durable.</returns>
    /// <exception cref="IOException">The write or the sync failed. A later start may read the entries all the same.</exception>
    public Task AppendAsync(IReadOnlyList<JournalEntry> entries)
    {
        var committed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _pending.Add((entries, committed));
            if (_isCommitting)
            {
                return committed.Task;
            }

            _isCommitting = true;
        }

        CommitPending();
        return committed.Task;
    }

    /// <summary>
    /// The durable frames of a range of sequences. They can be read until it is disposed, also where they are dropped meanwhile.
    /// </summary>
    public JournalRange Read(long from, long through)
    {
        Interlocked.Increment(ref _readers);
        return new(_segments.Segments, from, through, () => Interlocked.Decrement(ref _readers));
    }

    /// <summary>Keeps the file of a segment when the segment is dropped, as <c>000017.damaged</c>.</summary>
    public void Keep(string path) => _segments.Keep(path);

    /// <summary>Ends the current segment, so that <see cref="DropThrough"/> reaches all frames so far.</summary>
    public void Roll() => WithoutCommits(Seal);

    /// <summary>Drops the segments that contain only frames up to a sequence, oldest first, each durably before the next.</summary>
    /// <param name="generation">None are dropped if the journal was restarted since it was read.</param>
    /// <exception cref="IOException">One can't be dropped; those before it are.</exception>
    public void DropThrough(long sequence, int generation)
    {
        lock (_dropLock)
        {
            while (generation == _generation
                && _segments.Segments is [{ IsSealed: true } oldest, ..]
                && oldest.LastSequence <= sequence)
            {
                _segments.DropOldest(_recycled.TryRetire, isRead: () => Volatile.Read(ref _readers) > 0);
                _recycled.StartZeroing();
            }
        }
    }

    /// <summary>Deletes the dropped segment that is kept for reuse: it may not be overwritten yet.</summary>
    public void DeleteSpare() => _recycled.Delete();

    /// <summary>Checks that the log directory and the segments are in their place.</summary>
    /// <exception cref="JournalMovedException">They were moved, removed or replaced: <see cref="Restart"/> is needed.</exception>
    public void Verify() => WithoutCommits(VerifyAll);

    /// <summary>
    /// Starts again in a new folder after the old one was moved or removed. The entries that are needed are read through the open files,
    /// and are durable in the new folder, with their sequences, before anything is appended there.
    /// </summary>
    public void Restart(IEnumerable<JournalFrame> parked, Func<long, JournalEntry, bool> isNeeded)
    {
        lock (_dropLock)
        {
            WithoutCommits(() => RestartIn(new SegmentSeries(_segments.Folder, _segments.LastNumber), parked, isNeeded));
        }
    }

    /// <summary>Closes the files, after a commit that is running; later ones fail. One that hangs is not waited for.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        if (_commitGate.Wait(DisposeTimeout))
        {
            _commitGate.Release();
        }

        _recycled.Delete();
        _segments.Dispose();
    }

    /// <summary>Commits what waits now. What arrives meanwhile is committed on another thread: no caller serves others for long.</summary>
    private void CommitPending()
    {
        List<(IReadOnlyList<JournalEntry> Entries, TaskCompletionSource Committed)> batch;
        lock (_lock)
        {
            batch = [.. _pending];
            _pending.Clear();
        }

        _commitGate.Wait();
        try
        {
            Commit(batch is [var single] ? single.Entries : [.. batch.SelectMany(append => append.Entries)]);
            batch.ForEach(append => append.Committed.SetResult());
        }
#pragma warning disable CA1031 // Every waiting caller must see the error.
        catch (Exception e)
#pragma warning restore CA1031
        {
            batch.ForEach(append => append.Committed.SetException(e));
        }
        finally
        {
            _commitGate.Release();
        }

        lock (_lock)
        {
            _isCommitting = _pending.Count > 0;
            if (_isCommitting)
            {
                ThreadPool.UnsafeQueueUserWorkItem(static journal => journal.CommitPending(), this, preferLocal: false);
            }
        }
    }

    private void Commit(IReadOnlyList<JournalEntry> entries)
    {
        if (_isDisposed)
        {
            // Another process may have the directory by now.
            throw new IOException("The journal is closed");
        }

        if (_buffer.Capacity > BufferKept)
        {
            _buffer = new();
        }

        JournalFrame.Begin(_buffer);
        var now = time.GetLocalNow();
        foreach (var entry in entries)
        {
            entry.Stamp(now);
            entry.Write(_buffer);
        }

        if (_current is not null && _current.End + _buffer.WrittenCount > SegmentSize)
        {
            Seal();
        }

        if (_current is null)
        {
            VerifyAll();
            _current = _segments.Create(_recycled.TryTake);
        }

        // A failed commit uses its sequence up: the frame may be on the disk.
        _lastUsed++;
        try
        {
            _current.Append(_buffer, _lastUsed);
            _current.Sync();
        }
        catch
        {
            Seal();
            throw;
        }

        Volatile.Write(ref _lastDurable, _lastUsed);
        Committed(new(_lastUsed, entries, Stopwatch.GetTimestamp()));
    }

    private void RestartIn(SegmentSeries restarted, IEnumerable<JournalFrame> parked, Func<long, JournalEntry, bool> isNeeded)
    {
        Seal();
        var frames = _segments.Segments
            .SelectMany(segment => segment.Read(0, long.MaxValue))
            .Select(frame => frame with { Entries = [.. frame.Entries.Where(entry => isNeeded(frame.Sequence, entry))] })
            .Concat(parked)
            .GroupBy(frame => frame.Sequence)
            .OrderBy(frames => frames.Key)
            .Select(frames => new JournalFrame(frames.Key, [.. frames.SelectMany(frame => frame.Entries)]));
        SegmentCopy.Run(frames, (_, _) => restarted);

        // Where only a segment was changed or removed, the others are still there.
        _segments.Delete();
        if (Volatile.Read(ref _readers) == 0)
        {
            _segments.Dispose();
        }

        _segments = restarted;
        _generation++;
    }

    private void VerifyAll()
    {
        VerifyRoot();
        foreach (var segment in _segments.Segments)
        {
            segment.Verify();
        }
    }

    private void Seal()
    {
        _current?.IsSealed = true;
        _current = null;
    }

    private void WithoutCommits(Action action)
    {
        _commitGate.Wait();
        try
        {
            action();
        }
        finally
        {
            _commitGate.Release();
        }
    }
}
