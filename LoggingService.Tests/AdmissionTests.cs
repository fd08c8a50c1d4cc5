using System.Collections.Concurrent;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.Options;
using LoggingService.Registration;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using LoggingService.Transactions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>When transactions are delayed and refused, and that the homeserver is pinged afterwards.</summary>
public sealed class AdmissionTests : IDisposable
{
    private const int MiB = 1 << 20;
    private const string Ping = "POST /_matrix/client/v1/appservice/logging/ping";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeTimeProvider _time = new();
    private readonly StubHomeserver _homeserver = new StubHomeserver().On(Ping, """{"duration_ms":1}""");
    private readonly StopSignal _lifetime = new();
    private readonly Messages _messages = new();
    private readonly HttpClient _http;
    private readonly RequestBodyLimit _bodies;
    private readonly Admission _admission;
    private Backlog _backlog;

    public AdmissionTests()
    {
        File.WriteAllText(_folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        var registration = RegistrationReader.Read(_folder["registration.yaml"]);
        var options = LoggingServiceOptions.Read(new ConfigurationBuilder()
            .AddInMemoryCollection([new("LoggingService:Logs", _folder["logs"])]).Build());
        _http = new HttpClient(_homeserver) { BaseAddress = new Uri("http://localhost:8008/") };
        _bodies = new RequestBodyLimit(options);
        var tokens = new RegistrationTokens(registration, options, NullLogger<RegistrationTokens>.Instance);
        _admission = new Admission(
            () => _backlog, _bodies, options, new HomeserverClient(_http, registration, tokens, new(_time)), _lifetime, _time, _messages);
    }

    public void Dispose()
    {
        _lifetime.StopApplication();
        _http.Dispose();
        _lifetime.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_transaction_is_read_at_once_up_to_the_bounds()
    {
        _backlog = new(256 * MiB, TimeSpan.FromSeconds(30));
        Assert.True(WaitAsync().IsCompletedSuccessfully);
        Assert.Empty(_messages.All);
    }

    [Theory]
    [InlineData((256 * MiB) + 1, 0, "the backlog is too large: backlog 268435457 bytes, oldest entry 0 s old")]
    [InlineData(5, 30.001, "the oldest entry of the backlog has waited too long: backlog 5 bytes, oldest entry 30 s old")]
    public async Task A_transaction_waits_until_the_backlog_is_under_the_bounds(long bytes, double age, string reason)
    {
        _backlog = new(bytes, TimeSpan.FromSeconds(age));
        var waiting = WaitAsync();
        var later = WaitAsync();
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(waiting.IsCompleted);
        Assert.Contains(reason, Assert.Single(_messages.All), StringComparison.Ordinal);

        _backlog = default;
        await AdvanceUntilAsync(() => waiting.IsCompleted && later.IsCompleted);
        await Task.WhenAll(waiting, later);
        Assert.True(WaitAsync().IsCompletedSuccessfully);
        await Wait.UntilAsync(() => _messages.All.Count == 2, "a message that transactions are accepted");
        Assert.DoesNotContain(_homeserver.Calls, call => call.Line == Ping);
    }

    [Fact]
    public async Task A_transaction_is_refused_after_30_seconds_and_the_homeserver_is_pinged_once_others_are_accepted()
    {
        _backlog = new(257 * MiB, default);
        var waiting = WaitAsync();
        _time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        var refused = await Assert.ThrowsAsync<MatrixException>(() => waiting);
        Assert.Equal((503, "M_LIMIT_EXCEEDED"), (refused.Error.Status, refused.Error.Code));
        Assert.DoesNotContain(_homeserver.Calls, call => call.Line == Ping);

        // No request waits.
        _backlog = default;
        await AdvanceUntilAsync(() => Pings() > 0);
        Assert.True(WaitAsync().IsCompletedSuccessfully);
        await AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(1, Pings());
    }

    [Fact]
    public async Task A_failed_ping_is_repeated_after_3_seconds()
    {
        _homeserver.On(Ping, 502, """{"errcode":"M_CONNECTION_FAILED","error":"no"}""");
        await RefuseAsync();
        _backlog = default;
        await AdvanceUntilAsync(() => Pings() == 1);
        var first = _time.GetUtcNow();

        _homeserver.On(Ping, """{"duration_ms":1}""");
        await AdvanceUntilAsync(() => Pings() == 2);

        // One step more than 3 s: the clock may advance before the delay begins.
        Assert.InRange(_time.GetUtcNow() - first, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
        Assert.DoesNotContain(_messages.All, message => message.Contains("ping", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_homeserver_without_ping_is_pinged_once()
    {
        _homeserver.On(Ping, 404, """{"errcode":"M_UNRECOGNIZED","error":"no such endpoint"}""");
        await RefuseAsync();
        _backlog = default;
        await AdvanceUntilAsync(() => _messages.All.Any(message => message.Contains("Failed to ping", StringComparison.Ordinal)));
        await AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(1, Pings());
    }

    [Fact]
    public async Task The_log_has_the_first_delay_of_a_minute_and_its_end()
    {
        for (var i = 0; i < 5; i++)
        {
            _backlog = new(257 * MiB, default);
            var waiting = WaitAsync();
            Assert.False(waiting.IsCompleted);
            _backlog = default;
            await AdvanceUntilAsync(() => waiting.IsCompleted);
        }

        await Wait.UntilAsync(() => _messages.All.Count >= 2, "both messages");
        Assert.Equal(["Warning: Transactions are delayed", "Information: Transactions are accepted again"],
            _messages.All.Select(message => message.Split(" because")[0]));
    }

    [Fact]
    public async Task A_disconnecting_client_stops_waiting()
    {
        using var disconnected = new CancellationTokenSource();
        _backlog = new(257 * MiB, default);
        var waiting = _admission.WaitAsync(disconnected.Token);
        await disconnected.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Waiting_transactions_do_not_delay_a_stop()
    {
        _backlog = new(257 * MiB, default);
        var waiting = WaitAsync();
        _lifetime.StopApplication();
        Assert.Equal(503, (await Assert.ThrowsAsync<MatrixException>(() => waiting)).Error.Status);
        Assert.Equal(503, (await Assert.ThrowsAsync<MatrixException>(WaitAsync)).Error.Status);
    }

    [Fact]
    public async Task The_disk_must_have_room_for_three_copies_of_the_backlog_and_the_bodies_and_64_MiB()
    {
        using var disk = await SmallDisk.MountAsync(_folder["logs"], "100m");
        _backlog = new(9 * MiB, default);
        Assert.True(WaitAsync().IsCompletedSuccessfully);

        _bodies.Reserve(5 * MiB);
        var waiting = WaitAsync();
        Assert.False(waiting.IsCompleted);
        Assert.Contains("the disk is almost full", Assert.Single(_messages.All), StringComparison.Ordinal);
        _bodies.Release(5 * MiB);
        await AdvanceUntilAsync(() => waiting.IsCompletedSuccessfully);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_full_disk_is_noticed_within_a_second_also_of_the_journal_alone(bool isJournal)
    {
        using var disk = await SmallDisk.MountAsync(isJournal ? _folder["logs", ".journal"] : _folder["logs"], "80m");
        Assert.True(WaitAsync().IsCompletedSuccessfully);
        disk.Fill(leave: 60 * MiB);
        _time.Advance(TimeSpan.FromSeconds(1));
        var waiting = WaitAsync();
        Assert.False(waiting.IsCompleted);

        disk.Clear();
        await AdvanceUntilAsync(() => waiting.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_disk_without_inodes_delays_transactions_and_one_without_a_limit_of_inodes_does_not()
    {
        using var limited = await SmallDisk.MountAsync(_folder["logs"], "100m", files: 3000);
        Assert.True(WaitAsync().IsCompletedSuccessfully);
        limited.FillWithFiles(leave: 990);
        _time.Advance(TimeSpan.FromSeconds(1));
        var waiting = WaitAsync();
        Assert.False(waiting.IsCompleted);
        Assert.Contains("the disk has almost no free inodes", Assert.Single(_messages.All), StringComparison.Ordinal);
        limited.Clear();
        await AdvanceUntilAsync(() => waiting.IsCompletedSuccessfully);

        // A tmpfs with nr_inodes=0 reports 0 inodes in total.
        using var unlimited = await SmallDisk.MountAsync(_folder["logs", ".journal"], "100m", files: 0);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(WaitAsync().IsCompletedSuccessfully);
    }

    private Task WaitAsync() => _admission.WaitAsync(TestContext.Current.CancellationToken);

    private async Task RefuseAsync()
    {
        _backlog = new(257 * MiB, default);
        var waiting = WaitAsync();
        _time.Advance(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<MatrixException>(() => waiting);
    }

    private int Pings() => _homeserver.Calls.Count(call => call.Line == Ping);

    private Task AdvanceAsync(TimeSpan time)
    {
        var end = _time.GetUtcNow() + time;
        return AdvanceUntilAsync(() => _time.GetUtcNow() >= end);
    }

    private Task AdvanceUntilAsync(Func<bool> condition) =>
        Wait.UntilAsync(condition, "the condition of the test", () => _time.Advance(TimeSpan.FromMilliseconds(100)));

    private sealed class StopSignal : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }

    private sealed class Messages : ILogger<Admission>
    {
        private readonly ConcurrentQueue<string> _all = new();

        public IReadOnlyList<string> All => [.. _all];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _all.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}
