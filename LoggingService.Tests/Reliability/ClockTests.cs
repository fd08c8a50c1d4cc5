using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>Wrong clocks, clock changes, daylight saving: every event is logged once, and the text matches the record.</summary>
public class ClockTests
{
    private readonly Random _random = new(20261124);
    private readonly AcknowledgedEvents _acknowledged = new();
    private string _room = Some.RoomId();
    private int _transactions;

    [Fact]
    public async Task Setting_the_clock_back_and_forth_loses_no_event_and_logs_no_resent_event_again()
    {
        var rounds = Trial.Scale(3, 60);
        for (var round = 0; round < rounds; round++)
        {
            _room = Some.RoomId();
            var time = new SettableClock();
            var folder = TempFolder.ForCaller();
            var service = new ServiceUnderTest(time, folder);
            try
            {
                for (var step = 0; step < 12; step++)
                {
                    var (id, sent) = await PushAsync(service, at: _random.Next(4) == 0 ? null : time.GetUtcNow().ToUnixTimeMilliseconds());

                    // The response was lost: the homeserver resends after the clock was set, or after a restart.
                    time.Set(new TimeSpan(_random.Next(-40, 41), _random.Next(-30, 31), _random.Next(60), 0));
                    if (_random.Next(3) == 0)
                    {
                        folder = await service.StopAsync(folder, isKilled: _random.Next(2) == 0);
                        service = new(time, folder);
                    }

                    Assert.Equal(200, (await service.PushAsync(id, sent)).Status);
                    _acknowledged.Check(service.Logs, _room, $"round {round}, step {step}");
                }
            }
            finally
            {
                await service.DisposeAsync();
                folder.Dispose();
            }
        }

        const string method = "set back and forth by up to 40 days, with restarts and SIGKILLs, each transaction sent twice";
        _acknowledged.AssertComplete("clock", method, rounds * 12);
    }

    [Fact]
    public async Task Setting_the_clock_back_does_not_stop_checkpoints()
    {
        var time = new SettableClock();
        await using var service = new ServiceUnderTest(time);
        await PushAsync(service, at: null);
        time.Set(TimeSpan.FromDays(-400));
        await Wait.UntilAsync(
            () => LogFolder.Segments(service.Logs).Length == 0, "the journal is empty", () => time.Advance(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task After_the_clock_was_set_back_rooms_can_be_created_within_the_hour()
    {
        const string CreateRoom = "POST /_matrix/client/v3/createRoom";
        var time = new SettableClock();
        var homeserver = new StubHomeserver().WithoutAliases()
            .On(CreateRoom, """{"room_id":"!tea:localhost"}""")
            .On("PUT /_matrix/client/v3/*", "{}");
        var settings = new Dictionary<string, string> { ["LoggingService:RoomsPerHour"] = "1" };
        await using var service = new ServiceUnderTest(time, homeserver: homeserver, settings: settings);
        Assert.Equal(200, await QueryAsync("#logged_one:localhost"));
        time.Set(TimeSpan.FromDays(-400));
        Assert.Equal(404, await QueryAsync("#logged_two:localhost"));
        time.Advance(TimeSpan.FromMinutes(60));
        Assert.Equal(200, await QueryAsync("#logged_two:localhost"));

        async Task<int> QueryAsync(string alias) =>
            (await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}")).Status;
    }

    [Fact]
    public async Task A_failed_alias_lookup_is_retried_after_the_clock_was_set_back()
    {
        var time = new SettableClock();
        var homeserver = new StubHomeserver().WithoutAliases().AliasesOf(_room)
            .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
            .On(
                $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/state/m.room.create",
                """{"type":"m.room.create","sender":"@alice:localhost","content":{}}""");
        await using var service = new ServiceUnderTest(time, homeserver: homeserver);
        Assert.NotNull(service.Client);
        await Wait.UntilAsync(
            () => service.Logged.Any(e => e.RenderMessage().Contains("knows this service")), "the service has identified itself");
        homeserver.On(StubHomeserver.AliasesLine(_room), _ => throw new HttpRequestException("Connection refused"));
        var pushed = service.PushAsync("1", Some.Message(_room, "while the homeserver is down"));
        await Wait.UntilAsync(() => pushed.IsCompleted, "a response", () => time.Advance(TimeSpan.FromMilliseconds(500)));
        Assert.Single(service.Record(_room), line => !line.EndsWith(",\"note\":true}", StringComparison.Ordinal));
        homeserver.AliasesOf(_room);
        time.Set(TimeSpan.FromDays(-400));
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(200, (await service.PushAsync("2", Some.Message(_room, "a room without an alias of ours"))).Status);
        Assert.Single(service.Record(_room), line => !line.EndsWith(",\"note\":true}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_transaction_received_at_midnight_has_one_day_in_all_rooms()
    {
        var rounds = Trial.Scale(3, 50);
        for (var round = 0; round < rounds; round++)
        {
            var time = new FakeTimeProvider(new(2028, 2, 28, 23, 59, 59, TimeSpan.Zero));
            await using var service = new ServiceUnderTest(time);
            var rooms = Enumerable.Range(0, 5).Select(_ => Some.RoomId()).ToArray();
            var events = rooms.SelectMany(room => Enumerable.Range(0, 3).Select(_ => (Room: room, Id: Some.EventId()))).ToArray();
            var messages = events.Select(e => Some.Message(e.Room, $"message {e.Id} ", e.Id));
            var body = $"{{\"events\":[{string.Join(',', messages)}]}}";
            using var connection = await RawConnection.OpenAsync(service.Client.BaseAddress!.Port);
            var sentBefore = _random.Next(body.Length);
            await connection.SendAsync(RawConnection.TransactionHead($"{round}", body.Length) + body[..sentBefore]);
            var cancellation = TestContext.Current.CancellationToken;
            var others = Task.Run(() => Parallel.ForAsync(0, 10, cancellation, PushOtherAsync), cancellation);
            time.Advance(TimeSpan.FromSeconds(1));
            await connection.SendAsync(body[sentBefore..]);
            Assert.StartsWith("HTTP/1.1 200", await connection.ReadToAsync("\r\n", TimeSpan.FromSeconds(10)), StringComparison.Ordinal);
            await others;
            foreach (var (room, id) in events)
                _acknowledged.Add(room, id);
            foreach (var room in rooms)
            {
                _acknowledged.Check(service.Logs, room, "midnight");
                Assert.Equal("20280229.log", new FileInfo(Path.Combine(service.Logs, room, "latest.log")).LinkTarget);
                var record = File.ReadLines(Path.Combine(service.Logs, room, "20280229.jsonl"));
                Assert.Equal(3, record.Count(line => line.Contains("message ")));
            }

            async ValueTask PushOtherAsync(int i, CancellationToken _) =>
                Assert.Equal(200, (await service.PushAsync($"other{i}", Some.Message(rooms[0], "others"))).Status);
        }

        _acknowledged.AssertComplete("clock", "midnight, also of a leap day, during a transaction and between others", rounds);
    }

    [Theory]
    [InlineData("2026-03-29T00:59:58Z", "+01:00", "+02:00")]
    [InlineData("2026-10-25T00:59:58Z", "+02:00", "+01:00")]
    public async Task Daylight_saving_changes_lose_no_event_and_each_line_has_its_own_offset(string start, string before, string after)
    {
        var time = new FakeTimeProvider(DateTimeOffset.Parse(start, System.Globalization.CultureInfo.InvariantCulture));
        time.SetLocalTimeZone(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
        await using var service = new ServiceUnderTest(time);
        for (var i = 0; i < 4; i++)
        {
            await PushAsync(service, time.GetUtcNow().ToUnixTimeMilliseconds());
            time.Advance(TimeSpan.FromSeconds(1));
        }

        _acknowledged.Check(service.Logs, _room, start);
        var lines = File.ReadAllLines(Path.Combine(service.Logs, _room, "latest.log"));
        Assert.Equal([before, before, after, after], lines.Select(line => line[20..26]));
        _acknowledged.AssertComplete("clock", $"daylight saving, {before} to {after}", 1);
    }

    [Theory]
    [InlineData("Asia/Kathmandu", "2026-11-24T18:14:59Z", "20261124", "20261125")]
    [InlineData("Pacific/Kiritimati", "2026-11-24T09:59:59Z", "20261124", "20261125")]
    [InlineData("Pacific/Apia", "2011-12-30T09:59:59Z", "20111229", "20111231")]
    [InlineData("Etc/GMT+12", "2026-11-24T11:59:59Z", "20261123", "20261124")]
    public async Task Unusual_time_zones_have_their_own_midnight_and_a_skipped_day_has_no_file(
        string zone, string at, string day, string next)
    {
        var time = new FakeTimeProvider(DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture));
        time.SetLocalTimeZone(TimeZoneInfo.FindSystemTimeZoneById(zone));
        await using var service = new ServiceUnderTest(time);
        var (id, sent) = await PushAsync(service, time.GetUtcNow().ToUnixTimeMilliseconds());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await service.PushAsync(id, sent)).Status);
        await PushAsync(service, time.GetUtcNow().ToUnixTimeMilliseconds());
        var records = Directory.GetFiles(Path.Combine(service.Logs, _room), "*.jsonl");
        Assert.Equal([$"{day}.jsonl", $"{next}.jsonl"], records.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        _acknowledged.Check(service.Logs, _room, zone);
        _acknowledged.AssertComplete("clock", $"midnight in {zone}", 1);
    }

    [Theory]
    [InlineData("Asia/Kathmandu", "+05:45")]
    [InlineData("Pacific/Kiritimati", "+14:00")]
    [InlineData("Pacific/Apia", "+13:00")]
    [InlineData("Nowhere/At_all", "+00:00")]
    public async Task A_service_started_in_another_time_zone_logs_no_event_again(string zone, string offset)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        File.WriteAllText(folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        var first = Message();
        foreach (var inZone in new[] { "America/Los_Angeles", zone, "Asia/Tokyo" }.Skip(Trial.Scale(1, 0)))
        {
            var second = Message();
            var url = $"http://127.0.0.1:{FreePort.Next()}";
            var environment = new Dictionary<string, string?> { ["TZ"] = inZone };
            await using var service =
                ServiceProcess.Start(folder.Path, environment, "--homeserver", homeserver.Address, "--urls", url);
            using var client = new TransactionClient(url);
            await client.PushUntilAcceptedAsync("1", [first, second]);
            await _acknowledged.UntilLoggedAsync(folder["logs"], _room);
            var last = File.ReadLines(Path.Combine(folder["logs"], _room, "latest.log")).Last();
            if (inZone == zone)
                Assert.Contains($" {offset} <@alice:localhost> message ", last, StringComparison.Ordinal);
            await service.KillAsync();
        }

        _acknowledged.Check(folder["logs"], _room, zone);
        _acknowledged.AssertComplete("clock", $"a process with TZ={zone}, before in Los Angeles, then in Tokyo, SIGKILL in between", 3);

        string Message()
        {
            var id = Some.EventId();
            _acknowledged.Add(_room, id);
            return Some.Message(_room, $"message {id} ", id);
        }
    }

    [Fact]
    public async Task Timestamps_at_the_ends_of_every_range_are_logged_once()
    {
        long[] timestamps =
        [
            long.MinValue, long.MinValue + 1, -62135596800000, -62135596800001, -1, 0, 1, 253402300799999, 253402300800000,
            9007199254740991, long.MaxValue - 1, long.MaxValue,
        ];
        foreach (var zone in new[] { "Pacific/Kiritimati", "Etc/GMT+12" })
        {
            using var folder = TempFolder.ForCaller();
            foreach (var now in new[] { "0001-02-03T00:00:00Z", "1970-01-01T00:00:00Z", "2028-02-29T12:00:00Z", "9999-11-30T00:00:00Z" })
            {
                var time = new FakeTimeProvider(DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture));
                time.SetLocalTimeZone(TimeZoneInfo.FindSystemTimeZoneById(zone));
                await using var service = new ServiceUnderTest(time, folder);
                foreach (var at in timestamps)
                {
                    var (id, sent) = await PushAsync(service, at);
                    Assert.Equal(200, (await service.PushAsync(id, sent)).Status);
                }

                _acknowledged.Check(service.Logs, _room, now);
            }

            foreach (var record in Directory.GetFiles(folder["logs", _room], "*.jsonl"))
                File.Delete(record);
            _acknowledged.DuringChange(folder["logs"], () => { });
        }

        _acknowledged.AssertComplete("clock", "years 1 to 9999, origin_server_ts at the ends of the range", 8);
    }

    private async Task<(string Id, string Sent)> PushAsync(ServiceUnderTest service, long? at)
    {
        _transactions++;
        var transaction = $"t{_transactions}";
        var id = Some.EventId();
        var message = Some.Message(_room, $"message {id} ", id, at);
        if (at is null)
            message = System.Text.RegularExpressions.Regex.Replace(message, "\"origin_server_ts\":[^,]*,", "");
        Assert.Equal(200, (await service.PushAsync(transaction, message)).Status);
        _acknowledged.Add(_room, id);
        return (transaction, message);
    }
}
