using System.Text;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>Days that change between the journal and the rooms' files: events keep the day of their commit.</summary>
public class MidnightTests
{
    private readonly AcknowledgedEvents _acknowledged = new();
    private readonly string _room = Some.RoomId();

    [Theory]
    [InlineData("nothing")]
    [InlineData("a stop")]
    [InlineData("a kill")]
    public async Task A_backlog_over_midnight_another_time_zone_and_a_clock_set_back_keeps_its_days(string between)
    {
        var time = new SettableClock();
        var folder = TempFolder.ForCaller();
        var obstacle = folder["logs", _room];
        Directory.CreateDirectory(folder["logs"]);
        File.WriteAllText(obstacle, "");
        var service = new ServiceUnderTest(time, folder);
        var days = new List<(string Day, string Message)>();
        try
        {
            await PushOnAsync("20261124");
            time.Set(TimeSpan.FromHours(12));
            await PushOnAsync("20261125");
            time.Set(TimeSpan.FromDays(-3));
            await PushOnAsync("20261122");
            time.SetLocalTimeZone(TimeZoneInfo.FindSystemTimeZoneById("Pacific/Kiritimati"));
            await PushOnAsync("20261122");
            time.Set(TimeSpan.FromHours(10));
            await PushOnAsync("20261123");
            time.Set(TimeSpan.FromDays(2));
            await PushOnAsync("20261125");
            Assert.False(Directory.Exists(obstacle));
            if (between != "nothing")
            {
                folder = await service.StopAsync(folder, isKilled: between == "a kill");
                time.SetLocalTimeZone(TimeZoneInfo.FindSystemTimeZoneById("Etc/GMT+12"));
                File.Delete(folder["logs", _room]);
                service = new(time, folder);
                Assert.NotNull(service.Client);
            }
            else
            {
                File.Delete(obstacle);
            }

            await _acknowledged.UntilLoggedAsync(service.Logs, _room);
            _acknowledged.Check(service.Logs, _room, between);
            foreach (var day in days.GroupBy(item => item.Day, item => item.Message))
            {
                var record = File.ReadAllLines(Path.Combine(service.Logs, _room, $"{day.Key}.jsonl"));
                Assert.Equal(day, record.Select(line => line[..line.LastIndexOf(",\"received_ts\"", StringComparison.Ordinal)] + "}"));
            }

            Assert.Equal("20261125.log", new FileInfo(Path.Combine(service.Logs, _room, "latest.log")).LinkTarget);
        }
        finally
        {
            await service.DisposeAsync();
            folder.Dispose();
        }

        _acknowledged.AssertComplete("clock", $"midnight, another zone and a clock set back in a backlog, then {between}", 1);

        async Task PushOnAsync(string day)
        {
            for (var i = 0; i < 3; i++)
            {
                var id = Some.EventId();
                var message = Some.Message(_room, $"message {id} ", id, time.GetUtcNow().ToUnixTimeMilliseconds());
                Assert.Equal(200, (await service.PushAsync(id, message)).Status);
                _acknowledged.Add(_room, id);
                days.Add((day, message));
            }
        }
    }

    [Fact]
    public async Task A_checkpoint_that_runs_at_midnight_loses_no_event()
    {
        var days = Trial.Scale(100, 2000);
        var time = new FakeTimeProvider(new(2026, 11, 24, 23, 59, 59, TimeSpan.Zero));
        using var folder = TempFolder.InMemory();
        using var logs = new LogDirectory(folder["logs"], time, NullLogger<LogDirectory>.Instance);
        logs.Start();
        for (var day = 0; day < days; day++)
        {
            var checkpoint = logs.EmptyJournalAsync();
            var id = Some.EventId();
            var body = Encoding.UTF8.GetBytes($"{{\"events\":[{Some.Message(_room, $"message {id} ", id)}]}}");
            Assert.True(LoggingService.Transactions.Transaction.TryParse(body, out var transaction, out _));
            await logs.AppendAsync(transaction.Events, transaction.Unloggable, id);
            _acknowledged.Add(_room, id);
            time.Advance(TimeSpan.FromDays(1));
            await checkpoint;
        }

        await logs.CaughtUpAsync();
        await logs.StopAsync();
        _acknowledged.Check(folder["logs"], _room, "midnight");
        Assert.Empty(LogFolder.Segments(folder["logs"]));
        _acknowledged.AssertComplete("clock", "a day that ends while a checkpoint syncs its files", days);
    }
}
