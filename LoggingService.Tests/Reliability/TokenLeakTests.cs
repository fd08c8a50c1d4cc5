using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>What the service writes has no token in it, whatever comes and at whatever level it is asked to talk; and strangers don't fill its log.</summary>
public class TokenLeakTests
{
    private const string Wrong = "somebody_elses_secret_9f3";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static readonly string[] Verbose =
    [
        .. ((string[])["Default", "Microsoft", "Microsoft.AspNetCore.Diagnostics", "Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.Extensions.Hosting.Internal.Host",
            "Microsoft.Hosting.Lifetime", "System.Net.Http"]).SelectMany(category => (string[])[$"--Logging:LogLevel:{category}", "Trace"]),
        "--ServiceLog:RoomActivity", "on",
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_token_is_in_any_output_whatever_fails_and_however_much_is_asked_for(bool isJson)
    {
        // Its homeserver isn't there for a while: calls fail, and are made again.
        using var folder = TempFolder.ForCaller();
        var (port, homeserver) = (FreePort.Next(), FreePort.Next());
        await File.WriteAllTextAsync(folder["registration.yaml"], ServiceUnderTest.RegistrationText(), TestContext.Current.CancellationToken);
        string[] asJson = ["--ServiceLog:File", folder["service.log"], "--ServiceLog:Format", "json"];
        await using var service = ServiceProcess.Start(
            folder.Path, ["--homeserver", $"http://127.0.0.1:{homeserver}", "--urls", $"http://127.0.0.1:{port}", .. Verbose, .. isJson ? asJson : []]);
        await service.WaitForLineAsync("cannot connect");
        var rounds = Trial.Scale(1, 20);
        for (var round = 0; round < rounds; round++)
            foreach (var request in Requests)
            {
                using var connection = await RawConnection.OpenAsync(port);
                await connection.SendAsync(request);
                Assert.StartsWith("HTTP/1.1 ", await connection.ReadToAsync("\r\n", Limit), StringComparison.Ordinal);
            }

        // A folder that can't be made is a failure of ours.
        var (room, good) = (Some.RoomId(), Some.Message(Some.RoomId()));
        await File.WriteAllTextAsync(folder["logs", room], "", TestContext.Current.CancellationToken);
        using (var connection = await RawConnection.OpenAsync(port))
        {
            var (broken, body) = ($"{{\"events\":[{Some.Message(room)}]}}", $"{{\"events\":[{good}]}}");
            await connection.SendAsync(RawConnection.TransactionHead("1", broken.Length) + broken);
            Assert.StartsWith("HTTP/1.1 500 ", await connection.ReadToAsync("\r\n", Limit), StringComparison.Ordinal);
        }

        Assert.Equal(0, await service.StopAsync());
        var written = string.Join('\n', service.Output) + string.Concat(Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "registration.yaml").Select(File.ReadAllText));
        foreach (var said in new[] { "Request starting", "Request finished", "Request Headers", isJson ? "QueryString" : "", "bad request data", "System.Net.Http.HttpRequestException", "BadHttpRequestException" })
            Assert.True(written.Contains(said, StringComparison.Ordinal) != said.StartsWith("bad", StringComparison.OrdinalIgnoreCase), said);
        foreach (var token in new[] { ServiceUnderTest.HsToken, ServiceUnderTest.AsToken, Wrong })
            Assert.DoesNotContain(token, written, StringComparison.OrdinalIgnoreCase);
        Trial.Report("tokens in the output (events: lines)", "everything at Verbose, to the console and as JSON; right and wrong ones, in headers and queries that are read, refused and not understood", rounds * Requests.Count(), written.AsSpan().Count('\n'), 0, 0);
    }

    [Fact]
    public async Task A_flood_of_strangers_writes_no_log()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        var lines = service.Process.Output.Count;
        var strangers = Requests.Where(request => !request.Contains(ServiceUnderTest.HsToken, StringComparison.Ordinal)).ToList();
        var rounds = Trial.Scale(10, 500);
        for (var round = 0; round < rounds; round++)
            await Task.WhenAll(strangers.Select(async request =>
            {
                using var connection = await RawConnection.OpenAsync(service.Port);
                await connection.SendAsync(request);
                Assert.StartsWith("HTTP/1.1 4", await connection.ReadToAsync("\r\n", Limit), StringComparison.Ordinal);
            }));

        await service.AssertUnharmedAsync("strangers' requests", "with wrong tokens, without, and not understood: in the log once a minute", rounds * strangers.Count, before);

        // A minute is longer than this; but a machine may be slow.
        var told = service.Process.Output.Skip(lines).ToList();
        Assert.All(told, line => Assert.Contains("invalid hs_token", line, StringComparison.Ordinal));
        Assert.InRange(told.Count, 1, Trial.Scale(2, 10));
    }

    private static IEnumerable<string> Requests =>
        from token in new[] { ServiceUnderTest.HsToken, ServiceUnderTest.AsToken, Wrong }
        let header = $"Authorization: Bearer {token}\r\n"
        from request in (string[])
        [
            Get($"/_matrix/app/v1/users/x", header),
            Get($"/_matrix/app/v1/users/x?access_token={token}"),
            Get($"/_matrix/app/v1/users/x?%61ccess_token={token}&access_token={token}", header),
            Get($"http://localhost/users/x?access_token={token}"),
            Get($"/_matrix/app/v1/rooms/%23logged_a%3Alocalhost?access_token={token}", header),
            Get($"/nothing?access_token={token}", header),
            Get($"/%ff?access_token={token}", header),
            Get($"/\u00FF?access_token={token}", header),
            Get($"/%00?access_token={token}", header),
            $"GET /?access_token={token}\r\nHost: localhost\r\n\r\n",
            $"GET /?access_token={token} HTTP/1.1\r\n\r\n",
            $"GET /?access_token={token} HTTP/1.1\r\nHost: a b/{token}\r\n\r\n",
            Get("/", $"Authorization Bearer {token}\r\n"),
            Get("/", $"Authorization: Bearer {token}\0\r\n"),
            Get("/", $"Authorization: Basic {token}\r\n"),
            Get("/", $"{header}Content-Length: {token}\r\n"),
            Put($"/_matrix/app/v1/transactions/1?access_token={token}", header, "{\"events\":[]}"),
            Put($"/_matrix/app/v1/transactions/{Guid.NewGuid()}?access_token={token}", header, "{\"events\":"),
            Put($"/transactions/1?access_token={token}", "", "[1]"),
            $"PUT /transactions/1?access_token={token} HTTP/1.1\r\nHost: localhost\r\n{header}Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        ]
        select request;

    private static string Get(string target, string headers = "") => $"GET {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n";

    private static string Put(string target, string headers, string body) =>
        $"PUT {target} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";
}
