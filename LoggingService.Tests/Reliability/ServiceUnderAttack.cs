using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A service process under attack, with a homeserver that pushes to it at the same time. After the attack, the test checks the
/// acknowledged events and the resources of the process.
/// </summary>
internal sealed class ServiceUnderAttack : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly FakeHomeserver _homeserver = new();
    private readonly HttpClient _http;
    private readonly List<string> _acknowledged = [];
    private readonly string _room = Some.RoomId();

    private ServiceUnderAttack(TempFolder folder, string registration, int? openFiles, string[] arguments)
    {
        _folder = folder;
        _homeserver.Service = $"http://127.0.0.1:{Port}";
        File.WriteAllText(folder["registration.yaml"], registration);
        File.SetUnixFileMode(folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        arguments = ["--homeserver", _homeserver.Address, "--urls", $"http://127.0.0.1:{Port}", .. arguments];
        Process = openFiles is { } limit
            ? ServiceProcess.StartUnder(["prlimit", $"--nofile={limit}", "--"], folder.Path, arguments)
            : ServiceProcess.Start(folder.Path, arguments);

        // Synapse's timeout is 60 s.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new($"http://127.0.0.1:{Port}"),
            Timeout = TimeSpan.FromSeconds(60),
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
    }

    /// <summary>The port, on 127.0.0.1.</summary>
    public int Port { get; } = FreePort.Next();

    public ServiceProcess Process { get; }

    /// <summary>The working directory with <c>registration.yaml</c> and <c>logs</c>.</summary>
    public TempFolder Folder => _folder;

    /// <summary>An HTTP client with the homeserver's token.</summary>
    public HttpClient Homeserver => _http;

    /// <summary>The number of open files and connections.</summary>
    public int OpenFiles => Directory.GetFiles($"/proc/{Process.Id}/fd").Length;

    /// <summary>The resident memory in MiB.</summary>
    public long Memory => Status("VmRSS");

    /// <summary>The peak of the resident memory in MiB.</summary>
    public long PeakMemory => Status("VmHWM");

    /// <summary>Starts the service and waits until it listens, has identified itself and has logged some messages.</summary>
    public static async Task<ServiceUnderAttack> StartAsync(
        string? registration = null, int? openFiles = null, string[]? arguments = null,
        [CallerFilePath] string file = "", [CallerMemberName] string test = "")
    {
        var folder = TempFolder.ForCaller(file, test);
        var service = new ServiceUnderAttack(folder, registration ?? ServiceUnderTest.RegistrationText(), openFiles, arguments ?? []);
        await service.Process.WaitForLineAsync("knows this service");
        for (var i = 0; i < 20; i++)
            await service.LogOneMessageAsync();
        return service;
    }

    /// <summary>Pushes a message, which must be acknowledged.</summary>
    public async Task LogOneMessageAsync()
    {
        var id = Some.EventId();
        Assert.Equal((200, "{}"), await PushAsync(id, Some.Message(_room, $"message {id}", id)));
        _acknowledged.Add(id);
    }

    /// <summary>Pushes a transaction of events, each given as JSON.</summary>
    public Task<(int Status, string Body)> PushAsync(string transactionId, params IEnumerable<string> events) =>
        PutAsync(transactionId, new StringContent($"{{\"events\":[{string.Join(',', events)}]}}", Encoding.UTF8, "application/json"));

    public async Task<(int Status, string Body)> PutAsync(string transactionId, HttpContent body)
    {
        var target = $"/_matrix/app/v1/transactions/{Uri.EscapeDataString(transactionId)}";
        using var response = await _http.PutAsync(target, body, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Adds events of the same room that the test itself pushed and got acknowledged.</summary>
    public void Expect(IEnumerable<string> eventIds) => _acknowledged.AddRange(eventIds);

    /// <summary>A message in the room that <see cref="AssertUnharmedAsync"/> checks.</summary>
    public string Message(string eventId) => Some.Message(_room, $"message {eventId}", eventId);

    /// <summary>
    /// After the attack: a message is logged, memory and open files are back to their level (plus <paramref name="moreMemory"/>
    /// MiB), and every acknowledged event is logged once.
    /// </summary>
    public async Task AssertUnharmedAsync(
        string fault, string method, long rounds, (long Memory, int OpenFiles) before, long moreMemory = 150)
    {
        await LogOneMessageAsync();
        await Wait.UntilAsync(() => OpenFiles <= before.OpenFiles + 20, $"at most {before.OpenFiles + 20} open files");
        await Wait.UntilAsync(() => Memory <= before.Memory + moreMemory, $"at most {before.Memory + moreMemory} MiB of memory");
        await Wait.UntilAsync(() => LogFolder.HasLogged(_folder["logs"], _room, _acknowledged), "all acknowledged events are logged");
        var logged = LogFolder.EventIds(_folder["logs"], _room);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"memory {before.Memory} MiB before, {PeakMemory} MiB at most, {Memory} MiB after; "
            + $"open files {before.OpenFiles} before, {OpenFiles} after");
        var lost = _acknowledged.Except(logged).Count();
        Trial.Report(fault, method, rounds, _acknowledged.Count, lost, logged.Count - logged.Distinct().Count());
        LogFolder.AssertLineForLine(_folder["logs"]);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        _http.Dispose();
        _homeserver.Dispose();
        _folder.Dispose();
    }

    private long Status(string key)
    {
        var line = File.ReadLines($"/proc/{Process.Id}/status").Single(line => line.StartsWith(key + ":", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
    }
}
