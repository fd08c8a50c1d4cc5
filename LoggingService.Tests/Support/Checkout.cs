namespace LoggingService.Tests.Support;

/// <summary>The checkout that these tests were built in, for scripts that need its files.</summary>
internal static class Checkout
{
    public static string Folder { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "LoggingService.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The test needs the checkout, in which it doesn't run.");
        }

        return folder.FullName;
    }
}
