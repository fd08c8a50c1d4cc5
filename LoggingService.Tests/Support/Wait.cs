namespace LoggingService.Tests.Support;

/// <summary>Waits for background work.</summary>
internal static class Wait
{
    /// <summary>Waits for a condition; fails the test after 15 seconds.</summary>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(condition, what, () => { });

    /// <summary>Waits for a condition and, while it is false, repeats an action, such as advancing a clock.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what, Action meanwhile)
    {
        var end = DateTime.UtcNow.AddSeconds(15);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, $"Timed out: {what}");
            meanwhile();
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
