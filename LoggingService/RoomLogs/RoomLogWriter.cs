using System.Collections.Concurrent;
using System.Diagnostics;
using LoggingService.Journal;
using LoggingService.Metrics;

namespace LoggingService.RoomLogs;

/// <summary>
/// Moves what the journal made durable into the rooms' files: one consumer, in journal order. A round takes what has accumulated, groups
/// it by room, and makes one append for each room to the record and one to the text (<see cref="RoomDispatcher"/>). Everything that is not
/// background work happens in the writer's turn, on one thread at a time.
/// </summary>
internal sealed class RoomLogWriter
{
    private const long RoundBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan StallRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    private readonly ConcurrentQueue<object> _queue = new();
    private readonly AutoResetEvent _queued = new(false);
    private readonly AutoResetEvent _hurry = new(false);
    private readonly ConcurrentQueue<Action> _urgent = new();
    private readonly List<Room> _round = [];
    private Thread? _thread;
    private volatile bool _isStopping;
    private long _readSequence;
    private long _roundFirst;
    private long _roundSince;

    /// <summary>Set before <see cref="Start"/>, as is <see cref="Faults"/>.</summary>
    public RoomDispatcher Rooms { private get; set; } = null!;

    public RoomFaults Faults { private get; set; } = null!;

    /// <summary>The last frame whose entries were handed to their rooms; in the writer's turn only.</summary>
    public long Position { get; private set; }

    /// <summary>The last frame whose entries are all written, or left to repairs; also within a round.</summary>
    public long WrittenThrough => _round.Count == 0 ? Position : _roundFirst - 1;

    /// <summary>How long the oldest entry that was not handed to its room has waited; zero if none does.</summary>
    public TimeSpan OldestAge
    {
        get
        {
            var since = Volatile.Read(ref _roundSince);
            if (since == 0 && !_queue.IsEmpty)
            {
                since = _queue.OfType<JournalFrame>().FirstOrDefault()?.DurableAt ?? 0;
            }

            return since == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(since);
        }
    }

    /// <summary>Queues a durable frame.</summary>
    public void Enqueue(JournalFrame frame)
    {
        _queue.Enqueue(frame);
        _queued.Set();
    }

    /// <summary>Queues an action for the writer's turn.</summary>
    public void Post(Action action)
    {
        _queue.Enqueue(action);
        _queued.Set();
        _hurry.Set();
    }

    /// <summary>Runs a function in the writer's turn, behind the frames that are queued.</summary>
    public Task<T> InTurnAsync<T>(Func<T> function)
    {
        var task = new Task<T>(function, TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() => task.RunSynchronously(TaskScheduler.Default));
        return task;
    }

    public Task InTurnAsync(Action action) => InTurnAsync(() =>
    {
        action();
        return true;
    });

    /// <summary>As above, but before the frames that are queued, and also while the writer waits for the disk.</summary>
    public Task InTurnAtOnceAsync(Action action)
    {
        var task = new Task(action, TaskCreationOptions.RunContinuationsAsynchronously);
        _urgent.Enqueue(() => task.RunSynchronously(TaskScheduler.Default));
        Post(RunUrgent);
        return task;
    }

    /// <summary>Starts the writer's thread. The frames up to a sequence are in the hands of repairs.</summary>
    public void Start(long sequence)
    {
        Position = sequence;
        _readSequence = sequence;
        _thread = new Thread(Run) { IsBackground = true, Name = "room log writer" };
        _thread.Start();
    }

    /// <summary>Stops the thread; what is queued stays in the journal. A thread that hangs in a write is abandoned.</summary>
    public void Stop()
    {
        _isStopping = true;
        _queued.Set();
        _hurry.Set();
        _thread?.Join(StopTimeout);
    }

    private void Run()
    {
        while (!_isStopping)
        {
            if (_queue.IsEmpty)
            {
                _queued.WaitOne();
            }

            var started = Stopwatch.GetTimestamp();
            var bytes = 0L;
            while (bytes < RoundBytes && _queue.TryDequeue(out var item))
            {
                if (item is JournalFrame frame)
                {
                    bytes += Read(frame);
                    continue;
                }

                // An action may ask for the position: the frames before it are written first.
                WriteRound();
                if (_isStopping)
                {
                    // The round may be incomplete: a checkpoint must not see its position.
                    return;
                }

                ((Action)item)();
            }

            WriteRound();
            var rest = Linger - Stopwatch.GetElapsedTime(started);
            if (bytes > 0 && rest > TimeSpan.Zero)
            {
                // More frames accumulate, which saves writes. Actions, such as a checkpoint's, don't wait.
                _hurry.WaitOne(rest);
            }
        }
    }

    private long Read(JournalFrame frame)
    {
        if (_roundSince == 0)
        {
            Volatile.Write(ref _roundSince, frame.DurableAt);
            _roundFirst = frame.Sequence;
        }

        var bytes = 0L;
        foreach (var journalled in frame.Entries)
        {
            var entry = new RoomEntry(frame.Sequence, journalled);
            var room = Rooms.GetOrAdd(entry.RoomId);
            if (room.Round.Count == 0)
            {
                _round.Add(room);
            }

            room.Round.Add(entry);
            bytes += entry.Entry.Bytes.Length;
        }

        _readSequence = frame.Sequence;
        return bytes;
    }

    private void RunUrgent()
    {
        while (_urgent.TryDequeue(out var action))
        {
            action();
        }
    }

    private void WriteRound()
    {
        Position = _readSequence;
        foreach (var room in _round)
        {
            Rooms.Write(room, room.Round);
            room.Round.Clear();
            while (Faults.IsDiskFailing)
            {
                _hurry.WaitOne(StallRetry);
                if (_isStopping)
                {
                    return;
                }

                RunUrgent();
                Faults.RetryDisk();
            }
        }

        if (_round.Count > 0)
        {
            ServiceMetrics.RecordRound(_roundSince);
        }

        _round.Clear();
        Volatile.Write(ref _roundSince, 0);
    }
}
