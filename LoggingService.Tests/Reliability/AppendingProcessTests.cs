using System.Diagnostics;
using System.Text;
using LoggingService.Files;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Another program keeps appending to a room's files: the room is repaired at intervals, and no event is lost or repeated.
/// </summary>
public class AppendingProcessTests
{
    private readonly string _room = Some.RoomId();
    private readonly string _quietRoom = Some.RoomId();

    [Theory]
    [InlineData(".jsonl")]
    [InlineData(".log")]
    public async Task A_program_that_keeps_appending_to_a_file_delays_only_that_room(string suffix)
    {
        var duration = TimeSpan.FromSeconds(Trial.Scale(4, 60));
        var interval = TimeSpan.FromSeconds(Trial.Scale(1, 30));
        using var service = new ServiceUnderTest { RepairInterval = interval };
        var acknowledged = new AcknowledgedEvents();
        await PushAsync(service, acknowledged);
        var file = Assert.Single(Directory.GetFiles(Path.Combine(service.Logs, _room), "2*" + suffix));
        using var stop = new CancellationTokenSource();
        var appending = Task.Run(() => KeepAppendingAsync(file, stop.Token), TestContext.Current.CancellationToken);

        for (var watch = Stopwatch.StartNew(); watch.Elapsed < duration;)
        {
            await PushAsync(service, acknowledged);
            acknowledged.Check(service.Logs, _quietRoom, "a push");
        }

        await stop.CancelAsync();
        await appending;

        // A line that was appended while the files were repaired need not be noticed: this one is.
        Append(file);
        var repairs = service.WarningsAndErrors.Count(line => line.Contains("changed on disk", StringComparison.Ordinal));
        Assert.InRange(repairs, 1, (int)(duration / interval) + 2);

        // A repair that the appends made fail is retried after up to 30 s.
        await UntilRepairedAsync(service, acknowledged, TimeSpan.FromSeconds(60) + interval);
        acknowledged.Check(service.Logs, _room, "the last append");
        acknowledged.AssertComplete("files changed externally", $"a program that keeps appending to a {suffix} file", 1);
    }

    private async Task UntilRepairedAsync(ServiceUnderTest service, AcknowledgedEvents acknowledged, TimeSpan timeout)
    {
        await PushAsync(service, acknowledged);
        for (var watch = Stopwatch.StartNew(); Count(_room) < Count(_quietRoom) || !IsTextOfRecord();)
        {
            Assert.True(watch.Elapsed < timeout, $"{Count(_room)} of {Count(_quietRoom)} events are logged, in {LinesOfText()} lines");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        await service.CaughtUpAsync();

        bool IsTextOfRecord() => LinesOfText() == service.Record(_room).Count
            && !File.ReadAllText(Path.Combine(service.Logs, _room, "latest.log")).Contains("another program", StringComparison.Ordinal);

        int LinesOfText() => File.ReadAllLines(Path.Combine(service.Logs, _room, "latest.log")).Length;

        int Count(string room) => service.Record(room).Count(line => line.Contains("pushed", StringComparison.Ordinal));
    }

    private async Task PushAsync(ServiceUnderTest service, AcknowledgedEvents acknowledged)
    {
        string[] rooms = [_room, _quietRoom];
        var events = rooms.Select(room => (Room: room, Id: Some.EventId())).ToList();
        Assert.Equal(200, (await service.PushAsync("1", events.Select(e => Some.Message(e.Room, $"pushed {e.Id} ", e.Id)))).Status);
        events.ForEach(e => acknowledged.Add(e.Room, e.Id));
    }

    private async Task KeepAppendingAsync(string path, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            Append(path);
            await Task.Delay(5, CancellationToken.None);
        }
    }

    private void Append(string path)
    {
        var line = path.EndsWith(".log", StringComparison.Ordinal) ? "a line of another program" : Some.Message(_room, "foreign");

        // With O_APPEND, as a shell does: a FileStream would write at the end that it found, over what the service appends meanwhile.
        using var file = AppendFile.Open(path);
        file.Write(Encoding.UTF8.GetBytes(line + "\n"));
        file.Flush();
    }
}
