namespace LoggingService.Tests.Support;

internal static class ProcessOutput
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Runs a program, which must succeed, and returns what it wrote, to either stream.</summary>
    public static async Task<string> GetAsync(string program, params IEnumerable<string> arguments)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var (exitCode, output) = await ChildProcess.RunAsync(program, arguments, limit.Token);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {exitCode}\n{output}");
        return output;
    }
}
