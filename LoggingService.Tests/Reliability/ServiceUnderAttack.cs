using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// The service as a process, a homeserver that pushes to it while it is attacked, and what the attack leaves behind: what
/// was acknowledged, what the process holds.
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
        File.WriteAllText(folder["registration.yaml"], registration);
        File.SetUnixFileMode(folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        arguments = ["--homeserver", _homeserver.Address, "--urls", $"http://127.0.0.1:{Port}", .. arguments];
        Process = openFiles is { } limit ? ServiceProcess.StartUnder(["prlimit", $"--nofile={limit}", "--"], folder.Path, arguments) : ServiceProcess.Start(folder.Path, arguments);

        // The homeserver gives up after 60 s.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new($"http://127.0.0.1:{Port}"), Timeout = TimeSpan.FromSeconds(60) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
    }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port { get; } = FreePort.Next();

    /// <summary>The process.</summary>
    public ServiceProcess Process { get; }

    /// <summary>Where it runs: <c>registration.yaml</c>, <c>logs</c>.</summary>
    public TempFolder Folder => _folder;

    /// <summary>A homeserver that shows its token.</summary>
    public HttpClient Homeserver => _http;

    /// <summary>How many files and connections it has open.</summary>
    public int OpenFiles => Directory.GetFiles($"/proc/{Process.Id}/fd").Length;

    /// <summary>The memory that it has now, in MiB.</summary>
    public long Memory => Status("VmRSS");

    /// <summary>The most memory that it ever had, in MiB.</summary>
    public long PeakMemory => Status("VmHWM");

    /// <summary>Starts it and waits until it listens, knows who it is and has logged something.</summary>
    public static async Task<ServiceUnderAttack> StartAsync(
        string? registration = null, int? openFiles = null, string[]? arguments = null, [CallerFilePath] string file = "", [CallerMemberName] string test = "")
    {
        var service = new ServiceUnderAttack(TempFolder.ForCaller(file, test), registration ?? ServiceUnderTest.RegistrationText(), openFiles, arguments ?? []);
        await service.Process.WaitForLineAsync("knows this service");
        for (var i = 0; i < 20; i++)
            await service.LogOneMessageAsync();
        return service;
    }

    /// <summary>The homeserver pushes a message, which must be acknowledged.</summary>
    public async Task LogOneMessageAsync()
    {
        var id = Some.EventId();
        Assert.Equal((200, "{}"), await PushAsync(id, Some.Message(_room, $"message {id}", id)));
        _acknowledged.Add(id);
    }

    /// <summary>Pushes a transaction of events, each given as JSON.</summary>
    public Task<(int Status, string Body)> PushAsync(string transactionId, params IEnumerable<string> events) =>
        PutAsync(transactionId, new StringContent($"{{\"events\":[{string.Join(',', events)}]}}", Encoding.UTF8, "application/json"));

    /// <summary>Pushes a body.</summary>
    public async Task<(int Status, string Body)> PutAsync(string transactionId, HttpContent body)
    {
        using var answer = await _http.PutAsync($"/_matrix/app/v1/transactions/{Uri.EscapeDataString(transactionId)}", body, TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Events that were acknowledged elsewhere than by <see cref="LogOneMessageAsync"/>, in the same room.</summary>
    public void Expect(IEnumerable<string> eventIds) => _acknowledged.AddRange(eventIds);

    /// <summary>A message of the room that <see cref="AssertUnharmedAsync"/> looks at.</summary>
    public string Message(string eventId) => Some.Message(_room, $"message {eventId}", eventId);

    /// <summary>
    /// After the attack: a message is logged, memory and open files are what they were, and what was acknowledged is there once.
    /// </summary>
    public async Task AssertUnharmedAsync(string fault, string how, long rounds, (long Memory, int OpenFiles) before, long moreMemory = 150)
    {
        await LogOneMessageAsync();
        await Wait.UntilAsync(() => OpenFiles <= before.OpenFiles + 20, "its open files are what they were");
        await Wait.UntilAsync(() => Memory <= before.Memory + moreMemory, $"its memory is what it was, {before.Memory} MiB, and at most {moreMemory} MiB more");
        var logged = LogFolder.EventIds(_folder["logs"], _room);
        TestContext.Current.TestOutputHelper!.WriteLine($"memory {before.Memory} MiB before, {PeakMemory} MiB at most, {Memory} MiB after; open files {before.OpenFiles} before, {OpenFiles} after");
        Trial.Report(fault, how, rounds, _acknowledged.Count, _acknowledged.Except(logged).Count(), logged.Count - logged.Distinct().Count());
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

    private long Status(string key) => long.Parse(
        File.ReadLines($"/proc/{Process.Id}/status").Single(line => line.StartsWith(key + ":", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture) / 1024;
}
