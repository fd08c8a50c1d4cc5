using LoggingService.Cli;
using LoggingService.History;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command backfill logs the history of a room from before it was logged, with the running service or without it.</summary>
public class BackfillTests
{
    private const string Alias = "logged_tea";
    private static readonly DateTimeOffset Today = DateTimeOffset.Now;
    private readonly string _room = Some.RoomId();
    private readonly StubHistory _history;

    public BackfillTests() => _history = new(_room);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_history_is_logged_on_the_days_on_which_it_was_sent(bool isServed)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver { History = _history };
        AddDays(3, perDay: 250);
        await using var service = await LogAsync(folder, homeserver);
        if (!isServed)
        {
            await service.Process.StopAsync();
        }

        await using var command = Backfill(folder, homeserver, $"#{Alias}:localhost");
        Assert.True(await command.WaitForExitAsync() == 0, string.Join('\n', command.Output));
        Assert.Equal("Logged 750 events from before the room was logged", command.StandardOutput[^1]);
        Assert.Empty(command.StandardError);
        for (var day = 1; day <= 3; day++)
        {
            Assert.Equal(
                Enumerable.Range(0, 250).Select(i => $"<@alice:localhost> day -{day}, {i}"), Lines(folder, Today.AddDays(-day)));
        }

        Assert.Equal(["<@alice:localhost> pushed"], Lines(folder, Today));
        Assert.Equal($"{Today:yyyyMMdd}.log", new FileInfo(folder["logs", _room, "latest.log"]).LinkTarget);
        LogFolder.AssertLineForLine(folder["logs"]);
        Assert.All(
            File.ReadLines(folder["logs", _room, $"{Today.AddDays(-1):yyyyMMdd}.jsonl"]),
            line => Assert.Matches(""","fetched_ts":\d{13},"received_ts":\d{13}\}$""", line));

        // Once more there is nothing left.
        await using var again = Backfill(folder, homeserver, _room);
        Assert.Equal(0, await again.WaitForExitAsync());
        Assert.Equal("Logged 0 events from before the room was logged", again.StandardOutput[^1]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_backfill_of_ten_thousand_events_is_resumed_after_a_kill(bool isServed)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver { History = _history };
        AddDays(4, perDay: 2_500);
        var service = await LogAsync(folder, homeserver);
        try
        {
            if (!isServed)
            {
                await service.Process.StopAsync();
            }

            foreach (var page in (int[])[30, 60])
            {
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var go = new ManualResetEventSlim();
                _history.BeforePage = number =>
                {
                    if (number >= page)
                    {
                        reached.TrySetResult();
                        go.Wait(TimeSpan.FromSeconds(30));
                    }

                    return null;
                };
                await using var command = Backfill(folder, homeserver, _room);
                await reached.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
                await command.KillAsync();
                if (isServed)
                {
                    await service.Process.KillAsync();
                }

                go.Set();
                if (isServed)
                {
                    await service.DisposeAsync();
                    service = await RunningService.StartAsync(folder, homeserver);
                }
            }

            _history.BeforePage = static _ => null;
            await using var last = Backfill(folder, homeserver, _room);
            Assert.True(await last.WaitForExitAsync() == 0, string.Join('\n', last.Output));

            // A restarted service may complete the backfill before the last command, which then reads all pages once more and logs none.
            var logged = isServed ? "(0|9,[89].*|10,000)" : "(9,[89].*|10,000)";
            Assert.Matches($"^Logged {logged} events from before the room was logged$", last.StandardOutput[^1]);
            Assert.InRange(_history.Pages, 101, isServed ? 220 : 110);
            for (var day = 1; day <= 4; day++)
            {
                Assert.Equal(
                    Enumerable.Range(0, 2_500).Select(i => $"<@alice:localhost> day -{day}, {i}"), Lines(folder, Today.AddDays(-day)));
            }

            Assert.Distinct(LogFolder.EventIds(folder["logs"], _room));
            Assert.Equal(10_001, LogFolder.EventIds(folder["logs"], _room).Count);
            Assert.Equal(100, _history.MaxLimit);
        }
        finally
        {
            await service.DisposeAsync();
        }
    }

    [Fact]
    public async Task Only_days_from_the_given_one_on_are_logged_and_no_expired_ones()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver { History = _history };
        AddDays(30, perDay: 10);
        await using var service = await LogAsync(folder, homeserver);
        await service.Process.StopAsync();

        await using var since = Backfill(folder, homeserver, _room, "--since", $"{Today.AddDays(-2):yyyy-MM-dd}");
        Assert.Equal(0, await since.WaitForExitAsync());
        Assert.Equal("Logged 20 events from before the room was logged", since.StandardOutput[^1]);
        await using var retained = Backfill(folder, homeserver, _room, "--retain-days", "5");
        Assert.Equal(0, await retained.WaitForExitAsync());
        Assert.Equal("Logged 30 events from before the room was logged", retained.StandardOutput[^1]);
        Assert.Equal(6, Directory.GetFiles(folder["logs", _room], "*.jsonl").Length);
    }

    [Fact]
    public async Task Days_that_were_removed_come_back_only_where_an_earlier_day_is_given()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver { History = _history };
        AddDays(6, perDay: 10);
        await using var service = await LogAsync(folder, homeserver);
        await service.Process.StopAsync();
        await using var first = Backfill(folder, homeserver, _room);
        Assert.Equal(0, await first.WaitForExitAsync());
        Assert.Equal("Logged 60 events from before the room was logged", first.StandardOutput[^1]);

        // As RetainDays and MaxBytes do.
        var kept = DateOnly.FromDateTime(Today.AddDays(-3).Date);
        new RoomLogs.RemovedDays(folder["logs"], TimeProvider.System).RemoveDaysBefore(kept, folder: null);
        Assert.Equal(4, Directory.GetFiles(folder["logs", _room], "*.jsonl").Length);
        foreach (var ids in Directory.GetFiles(folder["logs", _room], "*.ids"))
        {
            // As after another 31 days.
            File.Delete(ids);
        }

        await using var again = Backfill(folder, homeserver, _room);
        Assert.Equal(0, await again.WaitForExitAsync());
        Assert.Equal(
            [
                $"Days before {kept:yyyy-MM-dd} were removed. Only --since logs them again, as far as RetainDays keeps them.",
                "Logged 0 events from before the room was logged",
            ],
            again.StandardOutput.TakeLast(2));
        Assert.Equal(4, Directory.GetFiles(folder["logs", _room], "*.jsonl").Length);

        await using var since = Backfill(folder, homeserver, _room, "--since", $"{Today.AddDays(-5):yyyy-MM-dd}");
        Assert.Equal(0, await since.WaitForExitAsync());
        Assert.Equal("Logged 20 events from before the room was logged", since.StandardOutput[^1]);
        Assert.Equal(6, Directory.GetFiles(folder["logs", _room], "*.jsonl").Length);
    }

    [Fact]
    public async Task A_rate_limit_is_honoured_and_an_error_of_the_homeserver_is_waited_for()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver { History = _history };
        AddDays(1, perDay: 200);
        await using var service = await LogAsync(folder, homeserver);
        await service.Process.StopAsync();
        var limitedAt = DateTime.MinValue;
        var waited = TimeSpan.Zero;
        _history.BeforePage = page =>
        {
            waited = page == 3 ? DateTime.UtcNow - limitedAt : waited;
            limitedAt = page == 2 ? DateTime.UtcNow : limitedAt;
            return page == 2 ? new(429, """{"errcode":"M_LIMIT_EXCEEDED","error":"Too fast","retry_after_ms":1500}""") : null;
        };
        await using var command = Backfill(folder, homeserver, _room);
        Assert.Equal(0, await command.WaitForExitAsync());
        Assert.Equal("Logged 200 events from before the room was logged", command.StandardOutput[^1]);

        // A timer may fire a few milliseconds before a clock says so.
        Assert.True(waited >= TimeSpan.FromSeconds(1.4), $"{waited}");
    }

    [Fact]
    public async Task What_can_not_be_done_is_one_line()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = await LogAsync(folder, homeserver);
        await service.Process.StopAsync();
        string[] settings = ["--homeserver", homeserver.Address];
        await ServiceProcess.AssertOneLineAsync(
            1, folder, "There is no log of #other:localhost in", ["backfill", "#other:localhost", .. settings]);
        await ServiceProcess.AssertOneLineAsync(
            78, folder, "--since yesterday: a date is expected, such as 2026-01-31",
            ["backfill", _room, "--since", "yesterday", .. settings]);
        await using var forbidden = Backfill(folder, homeserver, _room);
        Assert.Equal(1, await forbidden.WaitForExitAsync());
        Assert.Contains("403 M_FORBIDDEN", Assert.Single(forbidden.StandardError));
    }

    [Fact]
    public void The_progress_has_a_rate_and_the_time_that_is_left()
    {
        var output = new StringWriter();
        var start = new BackfillJob(_room, Since: null, Events: 1_000, From: 0, Reached: 250, To: 1_000);
        var progress = new BackfillProgress(output, isTerminal: true, start);
        var job = start with { Events = 4_000, Reached = 500 };
        Assert.Equal(
            "50 %, 4,000 events, up to 1970-01-01, 100 events/s, about 1 min left", progress.Describe(job, TimeSpan.FromSeconds(30)));
        Assert.Equal(
            "50 %, 4,000 events, up to 1970-01-01, waiting for the homeserver: 429",
            progress.Describe(job with { Waiting = "429" }, TimeSpan.FromSeconds(30)));
        progress.Show(job);
        Assert.StartsWith("\r[##########----------] 50 %, 4,000 events", output.ToString());
    }

    private static ServiceProcess Backfill(TempFolder folder, FakeHomeserver homeserver, params string[] arguments) =>
        ServiceProcess.Start(folder.Path, ["backfill", "--homeserver", homeserver.Address, .. arguments]);

    /// <summary>Starts a service to which an event of the room was pushed.</summary>
    private async Task<RunningService> LogAsync(TempFolder folder, FakeHomeserver homeserver)
    {
        homeserver.Aliases[$"#{Alias}:localhost"] = _room;
        var service = await RunningService.StartAsync(folder, homeserver);
        var pushed = Some.Message(_room, "pushed");
        _history.Add(pushed);
        Assert.Equal(200, await service.PushAsync(pushed));
        await Wait.UntilAsync(() => LogFolder.EventIds(service.Logs, _room).Count == 1, "the event is logged");
        File.CreateSymbolicLink(Path.Combine(service.Logs, Alias), _room);
        return service;
    }

    /// <summary>Adds the same number of events for each of the days before today.</summary>
    private void AddDays(int days, int perDay)
    {
        for (var day = days; day > 0; day--)
        {
            var start = new DateTimeOffset(Today.AddDays(-day).Date);
            for (var i = 0; i < perDay; i++)
            {
                _history.Add(Some.Message(_room, $"day -{day}, {i}", at: start.AddSeconds(i * 10).ToUnixTimeMilliseconds()));
            }
        }
    }

    private List<string> Lines(TempFolder folder, DateTimeOffset day) =>
        [.. File.ReadLines(folder["logs", _room, $"{day:yyyyMMdd}.log"]).Select(line => line[27..])];
}
