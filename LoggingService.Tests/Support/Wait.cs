namespace LoggingService.Tests.Support;

/// <summary>Waits for background work.</summary>
internal static class Wait
{
    /// <summary>A busy disk can take seconds for each fsync, and some conditions need several.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Waits for a condition; fails the test after <see cref="Limit"/>.</summary>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(condition, what, () => { });

    /// <summary>Waits for a condition and, while it is false, repeats an action, such as advancing a clock.</summary>
    public static Task UntilAsync(Func<bool> condition, string what, Action meanwhile) =>
        UntilAsync(condition, what, Limit, meanwhile);

    /// <summary>Waits for a condition that may take longer; fails the test after a limit.</summary>
    public static Task UntilAsync(Func<bool> condition, string what, TimeSpan limit) => UntilAsync(condition, what, limit, () => { });

    /// <summary>Waits for a condition that takes a request to tell.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var end = DateTime.UtcNow + Limit;
        while (!await condition())
        {
            Assert.True(DateTime.UtcNow < end, $"Timed out: {what}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private static async Task UntilAsync(Func<bool> condition, string what, TimeSpan limit, Action meanwhile)
    {
        var end = DateTime.UtcNow + limit;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, $"Timed out: {what}");
            meanwhile();
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
