using System.Runtime.InteropServices;

// The minimal durable service: one append and one fsync for each transaction, without parsing it.
// Usage: Limit URL
var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
builder.Logging.ClearProviders();
builder.WebHost.UseUrls(args[0]);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Limits.MaxRequestBodySize = null;
    kestrel.AddServerHeader = false;
});
var app = builder.Build();
using var file = File.OpenHandle("limit.log", FileMode.Append, FileAccess.Write);
using var gate = new SemaphoreSlim(1, 1);
var length = 0L;

app.MapPut("/_matrix/app/v1/transactions/{id}", async (HttpContext http) =>
{
    var body = new byte[(int)http.Request.ContentLength!];
    await http.Request.Body.ReadExactlyAsync(body);
    await gate.WaitAsync();
    try
    {
        RandomAccess.Write(file, body, length);
        length += body.Length;
        if (Fsync((int)file.DangerousGetHandle()) != 0)
        {
            throw new IOException("fsync failed");
        }
    }
    finally
    {
        gate.Release();
    }

    http.Response.ContentType = "application/json";
    http.Response.ContentLength = 2;
    await http.Response.Body.WriteAsync("{}"u8.ToArray());
});

await app.RunAsync();

[DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
[DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
static extern int Fsync(int file);
