using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using LoggingService.Tests.Reliability;
using LoggingService.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoggingService.Tests;

/// <summary>The metrics of a running service, as Prometheus and a collector get them.</summary>
public sealed class MetricsTests : IDisposable
{
    private const string OurUser = "@logging:localhost";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeHomeserver _homeserver = new();
    private readonly string _room = Some.RoomId();

    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Each_received_event_is_counted_once_more_by_what_became_of_it()
    {
        await using var service = await RunningService.StartMonitoredAsync(_folder, _homeserver);
        var before = await service.GetMetricsAsync();
        Assert.Equal(0, before["transactions_total{outcome=\"accepted\"}"]);
        Assert.Equal(0, before["events_processed_total{outcome=\"quarantined\"}"]);

        var again = Some.Message(_room);
        var invitation = Some.State(Some.RoomId(), "m.room.member", """{"membership":"invite"}""", OurUser);
        Assert.Equal(200, await service.PushAsync(Some.Message(_room), again, Some.Message(Some.RoomId())));
        Assert.Equal(200, await service.PushAsync(again, invitation, """{"no":"event"}"""));
        Assert.Equal(400, await service.PushAsync("nonsense"));

        var after = await service.GetMetricsAsync(until: metrics =>
            metrics["events_processed_total{outcome=\"logged\"}"] + metrics["events_processed_total{outcome=\"duplicate\"}"] == 4);
        Assert.Equal(2, after["transactions_total{outcome=\"accepted\"}"]);
        Assert.Equal(1, after["transactions_total{outcome=\"malformed\"}"]);
        Assert.Equal(6, after["events_received_total"]);
        Assert.Equal(3, after["events_processed_total{outcome=\"logged\"}"]);
        Assert.Equal(1, after["events_processed_total{outcome=\"duplicate\"}"]);
        Assert.Equal(1, after["events_processed_total{outcome=\"quarantined\"}"]);
        Assert.Equal(1, after["events_processed_total{outcome=\"not_logged\"}"]);
        Assert.Equal(2, after["transaction_duration_seconds_count"]);
        Assert.InRange(after["journal_sync_duration_seconds_count"], 2, 10);
        Assert.InRange(after["event_delay_seconds_count"], 2, 3);
        Assert.InRange(after["event_delay_seconds_sum"], 0, 60);
        Assert.InRange(after["backlog_size_bytes"], 1, 1 << 20);
        Assert.InRange(after["journal_segments"], 1, 2);
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - after["last_event_timestamp_seconds"], -1, 60);
        await service.GetMetricsAsync(until: metrics => metrics["rooms_open"] == 3 && metrics["rooms_parked"] == 0);
        Assert.Equal(0, await service.Process.StopAsync());
    }

    [Fact]
    public async Task The_files_of_the_logs_are_counted_by_kind_after_a_start()
    {
        await using (var first = await RunningService.StartAsync(_folder, _homeserver))
        {
            Assert.Equal(200, await first.PushAsync(Some.Message(_room), """{"no":"event"}"""));
            Assert.Equal(0, await first.Process.StopAsync());
        }

        await using var service = await RunningService.StartMonitoredAsync(_folder, _homeserver);
        var metrics = await service.GetMetricsAsync(until: metrics => metrics.Names.Contains("logging_service_logs_files"));
        var record = new FileInfo(Directory.GetFiles(_folder["logs", _room], "*.jsonl").Single());
        Assert.Equal(1, metrics["logs_files{kind=\"record\"}"]);
        Assert.Equal(record.Length, metrics["logs_size_bytes{kind=\"record\"}"]);
        Assert.Equal(1, metrics["logs_files{kind=\"text\"}"]);
        Assert.Equal(1, metrics["logs_files{kind=\"ids\"}"]);
        Assert.Equal(1, metrics["logs_files{kind=\"quarantine\"}"]);
        Assert.Equal(1, metrics["rooms_known"]);
        var writtenAt = ((DateTimeOffset)record.LastWriteTimeUtc).ToUnixTimeMilliseconds() / 1000.0;
        Assert.InRange(metrics["last_event_timestamp_seconds"], writtenAt - 1, writtenAt + 1);
    }

    [Theory]
    [InlineData("60", true, "rooms_created_total", "200")]
    [InlineData("60", false, "rooms_refused_total{reason=\"homeserver\"}", "404")]
    [InlineData("0", true, "rooms_refused_total{reason=\"limit\"}", null)]
    public async Task Rooms_that_users_ask_for_are_counted_as_created_or_refused(
        string roomsPerHour, bool createsRooms, string series, string? status)
    {
        _homeserver.CreatesRooms = createsRooms;
        await using var service = await RunningService.StartMonitoredAsync(
            _folder, _homeserver, "env", $"LoggingService__RoomsPerHour={roomsPerHour}");
        await service.Process.WaitForLineAsync("knows this service as");
        var posts = $"homeserver_requests_total{{http_request_method=\"POST\",http_response_status_code=\"{status}\"}}";
        var before = (await service.GetMetricsAsync()).Find(posts) ?? 0;

        await service.QueryAliasAsync("#logged_new:localhost");
        var after = await service.GetMetricsAsync(until: metrics => metrics[series] == 1);
        Assert.Equal(1, after["rooms_created_total"] + after["rooms_refused_total{reason=\"homeserver\"}"]
            + after["rooms_refused_total{reason=\"limit\"}"]);
        Assert.Equal(before + (status is null ? 0 : 1), after.Find(posts) ?? 0);
    }

    [Fact]
    public async Task No_metric_names_a_room_or_a_user()
    {
        await using var service = await RunningService.StartMonitoredAsync(_folder, _homeserver);
        Assert.Equal(200, await service.PushAsync(Some.Message(_room), Some.CanonicalAlias(_room, "#logged_secret:localhost")));

        var metrics = await service.GetMetricsAsync(until: metrics => metrics["events_processed_total{outcome=\"logged\"}"] == 2);
        Assert.DoesNotContain(_room, metrics.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", metrics.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", metrics.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("localhost", metrics.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http/protobuf", HttpProtocols.Http1, "/v1/metrics")]
    [InlineData("grpc", HttpProtocols.Http2, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")]
    public async Task A_collector_gets_the_metrics_where_the_environment_names_it(string protocol, HttpProtocols http, string path)
    {
        var received = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var address = $"http://127.0.0.1:{FreePort.Next()}";
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls(address)
            .ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = http));
        await using var collector = builder.Build();
        collector.Run(async context =>
        {
            using var content = new MemoryStream();
            await context.Request.Body.CopyToAsync(content, context.RequestAborted);
            if (context.Request.Path == path)
            {
                received.TrySetResult(Encoding.Latin1.GetString(content.ToArray()));
            }
        });
        await collector.StartAsync(TestContext.Current.CancellationToken);

        // Without the admin listener.
        await using var service = await RunningService.StartAsync(
            _folder, _homeserver, "env", $"OTEL_EXPORTER_OTLP_ENDPOINT={address}", $"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}",
            "OTEL_METRIC_EXPORT_INTERVAL=200", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment=test");
        Assert.Equal(200, await service.PushAsync(Some.Message(_room)));

        var body = await received.Task.WaitAsync(ServiceProcess.DefaultLimit, TestContext.Current.CancellationToken);
        Assert.Contains("logging_service.transactions", body, StringComparison.Ordinal);
        Assert.Contains("logging-service", body, StringComparison.Ordinal);
        Assert.Contains("deployment.environment", body, StringComparison.Ordinal);
        Assert.Contains("logging_service.health.status", body, StringComparison.Ordinal);
        Assert.Equal(0, await service.Process.StopAsync());
    }

    [Fact]
    public async Task An_invalid_address_of_a_collector_is_one_line()
    {
        var environment = new Dictionary<string, string?> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "localhost:4317" };
        await using var service = ServiceProcess.Start(_folder.Path, environment);

        await service.AssertOneLineAsync(78, "OTEL_EXPORTER_OTLP_ENDPOINT is \"localhost:4317\", which is not an absolute http:// or ");
    }

    [Fact]
    public async Task Monitoring_sees_a_recovery_that_takes_long()
    {
        await using (var killed = await RunningService.StartAsync(_folder, _homeserver))
        {
            Assert.Equal(200, await killed.PushAsync(Some.Message(_room)));
            await killed.Process.KillAsync();
        }

        // Each access to the record takes 4 s.
        var record = _folder["logs", _room, $"{DateTime.Now:yyyyMMdd}.jsonl"];
        var admin = $"http://127.0.0.1:{FreePort.Next()}";
        await using var service = RunningService.Start(
            _folder, _homeserver, admin, "strace", "-D", "-f", "-qq", "-o", _folder["strace.log"], "-P", record,
            "-e", "trace=?open,openat", "-e", "inject=?open,openat:delay_enter=4000000");
        await service.WaitUntilListeningAsync();
        var (status, body) = await service.GetAdminAsync("/health/ready");
        Assert.Equal(503, status);
        var recovery = JsonElement.Parse(body).GetProperty("checks").GetProperty("recovery");
        Assert.Equal("the journal is replayed, and rooms are repaired", recovery.GetProperty("reason").GetString());

        var end = DateTime.UtcNow.AddMinutes(1);
        while ((await service.GetAdminAsync("/health/ready")).Status != 200)
        {
            Assert.True(DateTime.UtcNow < end, "it does not become ready");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        Assert.Single(await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Connections_to_one_port_leave_the_other_its_own()
    {
        await using var service = await RunningService.StartMonitoredAsync(_folder, _homeserver, "prlimit", "--nofile=1024:1024");
        var connections = new List<Socket>();
        try
        {
            await ConnectAsync(service.Admin!, 100);
            Assert.Equal(200, await service.PushAsync(Some.Message(_room)));
            connections.ForEach(connection => connection.Dispose());
            await ConnectAsync(service.Url, 700);
            Assert.Equal(200, (await service.GetAdminAsync("/health/live")).Status);
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }

        async Task ConnectAsync(string url, int count)
        {
            for (var i = 0; i < count; i++)
            {
                connections.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
                await connections[^1].ConnectAsync(IPAddress.Loopback, new Uri(url).Port, TestContext.Current.CancellationToken);
            }
        }
    }

    [Theory]
    [InlineData(false, 45)]
    [InlineData(true, 60)]
    public async Task The_published_program_needs_little_memory_while_it_is_idle(bool isMonitored, int maxMebibytes)
    {
        Assert.SkipWhen(ServiceProcess.Program.Count > 1, "Only for the published program: set LOGGING_SERVICE_PROGRAM to its path.");
        string[] otlp = ["env", $"OTEL_EXPORTER_OTLP_ENDPOINT={_homeserver.Address}", "OTEL_METRIC_EXPORT_INTERVAL=500"];
        await using var service = isMonitored
            ? await RunningService.StartMonitoredAsync(_folder, _homeserver, otlp)
            : await RunningService.StartAsync(_folder, _homeserver);
        await service.Process.WaitForLineAsync("knows this service as");
        await Wait.UntilAsync(() => MemoryOf(service.Process.Id) <= (long)maxMebibytes << 20, "what only the start needed is freed");
        var last = Ledger.Create([_room]);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(200, await service.PushAsync(i < 9 ? [Some.Message(_room)] : last.Json));
            if (isMonitored)
            {
                Assert.Equal(200, (await service.GetAdminAsync("/metrics")).Status);
                Assert.Equal(200, (await service.GetAdminAsync("/health/ready")).Status);
            }
        }

        await Ledger.WaitUntilLoggedAsync(service.Logs, last);

        // The first events bring their code and the open files of a room.
        Assert.InRange(MemoryOf(service.Process.Id), 1, (long)(maxMebibytes + 6) << 20);
    }

    private static long MemoryOf(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }
}
