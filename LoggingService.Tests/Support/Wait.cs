namespace LoggingService.Tests.Support;

/// <summary>Waiting for what happens beside the test.</summary>
internal static class Wait
{
    /// <summary>Waits until this is so, and fails the test after some seconds.</summary>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(condition, what, () => { });

    /// <summary>Waits until this is so, and does something each time that it isn't, as to move a clock.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what, Action meanwhile)
    {
        var end = DateTime.UtcNow.AddSeconds(15);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, $"It never came to this: {what}");
            meanwhile();
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
