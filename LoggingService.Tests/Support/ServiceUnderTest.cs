using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using LoggingService.Homeserver;
using LoggingService.RoomLogs;
using LoggingService.Transactions;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace LoggingService.Tests.Support;

/// <summary>
/// The complete service on a real socket, in the test process. Replaced are the homeserver, the clock if the test provides
/// one, and the folder that it writes to. Its own log is in <see cref="Logged"/>. Disposing fails the test if the homeserver
/// received an unexpected call.
/// </summary>
internal sealed class ServiceUnderTest : WebApplicationFactory<Program>
{
    public const string HsToken = "hs_token_lab_0b84e3d5c1";
    public const string AsToken = "as_token_lab_0b84e3d5c1";

    private readonly Dictionary<string, string> _settings;
    private readonly TimeProvider? _time;
    private readonly ConcurrentQueue<LogEvent> _logged = new();
    private readonly bool _ownsFolder;

    // A folder of an earlier instance starts a second service on the same logs. Settings are keyed as LoggingService:RoomsPerHour.
    public ServiceUnderTest(TimeProvider? time = null, TempFolder? folder = null, string? registration = null,
        Dictionary<string, string>? settings = null, StubHomeserver? homeserver = null,
        [CallerFilePath] string file = "", [CallerMemberName] string member = "")
    {
        _time = time;
        _ownsFolder = folder is null;
        Folder = folder ?? TempFolder.ForCaller(file, member);
        _settings = settings ?? [];
        Homeserver = homeserver ?? new StubHomeserver().WithoutAliases().RefusingJoins();
        File.WriteAllText(Folder["registration.yaml"], registration ?? RegistrationText());
        File.SetUnixFileMode(Folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        UseKestrel();
    }

    /// <summary>The folder of <c>logs</c> and <c>registration.yaml</c>.</summary>
    public TempFolder Folder { get; }

    public string Logs => Folder["logs"];

    public StubHomeserver Homeserver { get; }

    /// <summary>The longest interval at which parked rooms are retried; without it, as in production.</summary>
    public TimeSpan? MaxRetryDelay { get; init; }

    /// <summary>How often files that other programs change are repaired; without it, as in production.</summary>
    public TimeSpan? RepairInterval { get; init; }

    /// <summary>Changes the bounds of the admission; without it, as in production.</summary>
    public Action<Admission>? Bounds { get; init; }

    /// <summary>The service's own log, in order.</summary>
    public IReadOnlyList<LogEvent> Logged => [.. _logged];

    public static string RegistrationText(string url = "http://127.0.0.1:5000", string aliases = "#logged_.*", string rooms = "[]") =>
        $$"""
        id: "logging"
        url: "{{url}}"
        as_token: "{{AsToken}}"
        hs_token: "{{HsToken}}"
        sender_localpart: "logging"
        rate_limited: false
        namespaces:
          users: []
          rooms: {{rooms}}
          aliases:
            - exclusive: false
              regex: "{{aliases}}"
        """;

    /// <summary>An HTTP client with the homeserver's token.</summary>
    public HttpClient Client
    {
        get
        {
            if (field is null)
            {
                var client = CreateClient();
                Bounds?.Invoke(Services.GetRequiredService<Admission>());
                if (MaxRetryDelay is { } delay)
                {
                    Services.GetRequiredService<LogDirectory>().Faults.MaxRetryDelay = delay;
                }

                if (RepairInterval is { } interval)
                {
                    Services.GetRequiredService<LogDirectory>().Faults.RepairInterval = interval;
                }

                field = new HttpClient { BaseAddress = client.BaseAddress, Timeout = TimeSpan.FromSeconds(100) };
                field.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", HsToken);
                Homeserver.Service.TrySetResult(field);
            }

            return field;
        }
    }

    /// <summary>Sends a request whose target the client doesn't normalize. The default authorization is the homeserver's token.</summary>
    public async Task<(int Status, string Body)> SendAsync(
        HttpMethod method, string rawTarget, string? body = null, string? authorization = null)
    {
        var client = Client;
        var uri = new Uri(
            $"http://127.0.0.1:{client.BaseAddress!.Port}{rawTarget}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(method, uri);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        await CaughtUpAsync();
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Pushes a transaction of events, each given as JSON.</summary>
    public Task<(int Status, string Body)> PushAsync(string transactionId, params IEnumerable<string> events) =>
        SendAsync(HttpMethod.Put, $"/_matrix/app/v1/transactions/{transactionId}", $"{{\"events\":[{string.Join(',', events)}]}}");

    /// <summary>Retries a transaction until it gets a 200, as a homeserver does; for 15 s at most.</summary>
    public async Task PushUntilAcceptedAsync(string transactionId, params IEnumerable<string> events)
    {
        var end = DateTime.UtcNow.AddSeconds(15);
        while ((await PushAsync(transactionId, events)).Status is var status && status != 200)
        {
            Assert.True(DateTime.UtcNow < end, $"{status}: {string.Join('\n', WarningsAndErrors.TakeLast(3))}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Sends a transaction whose body may be invalid.</summary>
    public async Task<(int Status, string Body)> PutAsync(string transactionId, byte[] body, bool isChunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/_matrix/app/v1/transactions/{transactionId}");
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TransferEncodingChunked = isChunked;
        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        await CaughtUpAsync();
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>
    /// Completes when the check at the start has passed. Its calls have timeouts: a test that advances the clock further must wait first.
    /// </summary>
    public Task ConnectedAsync() => Wait.UntilAsync(
        () => Logged.Any(e => e.MessageTemplate.Text.Contains(" knows this service as ", StringComparison.Ordinal)),
        "the check at the start has passed");

    /// <summary>Completes when what was acknowledged is in the rooms' files, except for parked rooms.</summary>
    public Task CaughtUpAsync() => IsWriterStalled ? Task.CompletedTask : Services.GetRequiredService<LogDirectory>().CaughtUpAsync();

    /// <summary>Syncs the rooms' files and drops the journal's segments.</summary>
    public Task CheckpointAsync() => Services.GetRequiredService<LogDirectory>().EmptyJournalAsync();

    /// <summary>Pushes don't wait until the service has caught up, which it can't.</summary>
    public bool IsWriterStalled { get; set; }

    /// <summary>Stops the service and returns the folder for the next start: after a kill, a copy made while the service ran.</summary>
    public async Task<TempFolder> StopAsync(TempFolder folder, bool isKilled)
    {
        var next = folder;
        if (isKilled)
        {
            next = TempFolder.ForCaller();
            LogFolder.Copy(Logs, next["logs"]);
        }

        await DisposeAsync();
        if (isKilled)
            folder.Dispose();
        return next;
    }

    /// <summary>The lines of a room's latest text, without the timestamp (26 characters and a space).</summary>
    public IReadOnlyList<string> Lines(string room) =>
        [.. File.ReadAllLines(Path.Combine(Logs, room, "latest.log")).Select(line => line[27..])];

    /// <summary>The lines of all records of a room.</summary>
    public IReadOnlyList<string> Record(string room) =>
        [.. Directory.GetFiles(Path.Combine(Logs, room), "*.jsonl").Order(StringComparer.Ordinal).SelectMany(File.ReadAllLines)];

    /// <summary>The warnings and errors of the service's own log, as text.</summary>
    public IReadOnlyList<string> WarningsAndErrors =>
        [.. Logged.Where(e => e.Level >= LogEventLevel.Warning).Select(e => e.RenderMessage())];

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("LoggingService:Registration", Folder["registration.yaml"]);
        builder.UseSetting("LoggingService:Logs", Logs);
        builder.UseSetting("urls", "http://127.0.0.1:0");
        builder.UseSetting("LoggingService:Notice", "off");
        foreach (var (key, value) in _settings)
        {
            builder.UseSetting(key, value);
        }

        builder.ConfigureTestServices(services =>
        {
            services.AddHttpClient<HomeserverClient>().ConfigurePrimaryHttpMessageHandler(() => Homeserver);
            services.RemoveAll<ILogger>().AddSingleton<ILogger>(_ =>
                new LoggerConfiguration().MinimumLevel.Override("Microsoft", LogEventLevel.Error)
                    .WriteTo.Sink(new QueueSink(_logged)).CreateLogger());
            if (_time is not null)
            {
                services.RemoveAll<TimeProvider>().AddSingleton(_time);
            }
        });
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            if (_ownsFolder)
            {
                Folder.Dispose();
            }

            Assert.Empty(Homeserver.Unexpected);
        }
    }

    private sealed class QueueSink(ConcurrentQueue<LogEvent> logged) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => logged.Enqueue(logEvent);
    }
}
