namespace LoggingService.RoomLogs;

/// <summary>Work for one room that may be slow, on a bounded number of threads. Its result returns to the writer's turn.</summary>
internal sealed class RoomBackground(RoomLogWriter writer, RoomLogCache cache)
{
    private const int MaxThreads = 8;
    private readonly TaskScheduler _scheduler = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, MaxThreads).ConcurrentScheduler;
    private readonly List<TaskCompletionSource> _quiet = [];

    /// <summary>Receives the log that the work opened; <c>null</c> where it closed one.</summary>
    public Action<Room, Task<DayLog?>> Ended { private get; set; } = static (_, _) => { };

    /// <summary>Whether rooms wait for work that is not started.</summary>
    public Func<bool> HasWaiting { private get; set; } = static () => false;

    private bool IsQuiet => cache.Busy == 0 && !HasWaiting();

    /// <summary>Starts work for a room that has none; its entries are held meanwhile.</summary>
    public void Start(Room room, Func<DayLog?> work)
    {
        cache.StartWork(room);
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _scheduler)
            .ContinueWith(task => writer.Post(() => End(room, task)), TaskScheduler.Default);
    }

    /// <summary>
    /// Completes when no work runs in the background: what was handed over is in the files, except for rooms that wait for a repair.
    /// </summary>
    public Task WhenQuietAsync()
    {
        if (IsQuiet)
        {
            return Task.CompletedTask;
        }

        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _quiet.Add(waiting);
        return waiting.Task;
    }

    private void End(Room room, Task<DayLog?> work)
    {
        cache.EndWork(room);
        Ended(room, work);
        if (IsQuiet)
        {
            _quiet.ForEach(waiting => waiting.SetResult());
            _quiet.Clear();
        }
    }
}
