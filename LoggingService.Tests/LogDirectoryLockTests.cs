using LoggingService.RoomLogs;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The lock of a log directory, and commands that look whether a service holds it.</summary>
public class LogDirectoryLockTests
{
    [Fact]
    public async Task A_start_succeeds_also_while_commands_look_at_the_lock()
    {
        using var folder = TempFolder.ForCaller();
        LogDirectoryLock.Acquire(folder.Path).Dispose();
        using var stop = new CancellationTokenSource();
        using var begun = new CountdownEvent(2);
        var commands = Enumerable.Range(0, 2).Select(_ => RunAsync(() =>
        {
            LogDirectoryLock.IsHeld(folder.Path);
            for (begun.Signal(); !stop.IsCancellationRequested; Thread.Yield())
            {
                LogDirectoryLock.IsHeld(folder.Path);
            }
        })).ToList();
        begun.Wait(TestContext.Current.CancellationToken);
        for (var start = 0; start < 200; start++)
        {
            LogDirectoryLock.Acquire(folder.Path).Dispose();
        }

        await stop.CancelAsync();
        await Task.WhenAll(commands);
    }

    [Fact]
    public async Task Commands_do_not_take_each_other_for_a_service()
    {
        using var folder = TempFolder.ForCaller();
        LogDirectoryLock.Acquire(folder.Path).Dispose();
        using var begin = new Barrier(4);
        var wrong = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RunAsync(() =>
        {
            begin.SignalAndWait();
            for (var i = 0; i < 5_000; i++)
            {
                if (LogDirectoryLock.IsHeld(folder.Path) != false)
                {
                    Interlocked.Increment(ref wrong);
                }
            }
        })));
        Assert.Equal(0, wrong);

        using var service = LogDirectoryLock.Acquire(folder.Path);
        Assert.True(LogDirectoryLock.IsHeld(folder.Path));
    }

    private static Task RunAsync(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
