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
        var commands = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (; !stop.IsCancellationRequested; Thread.Yield())
            {
                LogDirectoryLock.IsHeld(folder.Path);
            }
        })).ToList();
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
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            () => Enumerable.Range(0, 500).Count(_ => LogDirectoryLock.IsHeld(folder.Path) != false))));
        Assert.Equal(0, answers.Sum());

        using var service = LogDirectoryLock.Acquire(folder.Path);
        Assert.True(LogDirectoryLock.IsHeld(folder.Path));
    }
}
