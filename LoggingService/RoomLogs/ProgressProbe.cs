namespace LoggingService.RoomLogs;

/// <summary>Whether work goes on: since the last question its counter moved, or it reached a task that was queued behind it.</summary>
/// <param name="queue">Queues a task; it completes when the work before it is done, and at once where there is none.</param>
/// <param name="count">A number that changes with each unit of work.</param>
internal sealed class ProgressProbe(Func<Task> queue, Func<long> count)
{
    private Task _queued = queue();
    private long _counted = count();

    public bool HasProgressed()
    {
        var counted = count();
        var hasProgressed = counted != _counted || _queued.IsCompleted;
        _counted = counted;
        if (_queued.IsCompleted)
        {
            _queued = queue();
        }

        return hasProgressed;
    }
}
